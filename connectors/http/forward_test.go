package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/connectors/encode"
	"github.com/dangol-dev/dangol/engine/score"
)

// Whatever an id holds, the other instance is asked for exactly it.
func TestAnyIDIsForwarded(t *testing.T) {
	f := newFleet(t, nil, func(_ string, p *Parts) { p.Encoder = encode.JSON{} })
	check := func(t require.TestingT, id string) {
		f.b.query.known = map[string]bool{id: true}
		status, body, _ := f.a.get("/v1/customers/" + escape(id))
		require.Equal(t, 200, status, "%q: %s", id, body)
		status, body, _ = f.a.post(string(batchBody([]string{id}, 0)))
		require.Equal(t, 200, status)
		require.Contains(t, body, `"not_found":[]`, "%q", id)
		status, body, _ = f.a.get("/v1/items/" + escape(id) + "/audience")
		require.Equal(t, 200, status, "%q: %s", id, body)
	}
	for _, id := range []string{"단골-42", "a/b", "a//b", "/", ".", "..", "../../etc", "a b", "a+b", "a%2Fb", "?as_of=1", "#x",
		"x:batchGet", "\"", "<script>", "\x00", "\n", "\u2028", "🍕", strings.Repeat("x", 4000)} {
		check(t, id)
	}
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.StringN(1, 40, -1).Draw(t, "id")) })
}

func TestAsOfIsForwarded(t *testing.T) {
	f := newFleet(t, nil, nil)
	id := idIn(1)
	f.b.query.known[id] = true
	status, body, _ := f.a.get("/v1/customers/" + id + "?as_of=1998-07-01T02:00:00%2B02:00")
	require.Equal(t, 200, status)
	require.Equal(t, fmt.Sprintf(`{"customer_id":%q,"as_of":899251200000}`, id), body)
	status, body, _ = f.a.post(fmt.Sprintf(`{"ids":[%q],"as_of":5}`, id))
	require.Equal(t, 200, status)
	require.Equal(t, fmt.Sprintf(`{"customers":[{"customer_id":%q,"as_of":5}],"not_found":[]}`, id), body)
}

// A batch of customers of all instances is answered as one instance would that
// has them all.
func TestBatchOverInstances(t *testing.T) {
	f := newFleet(t, nil, nil)
	whole := newRig(t, nil)
	var ids []string
	for i := range 120 {
		id := fmt.Sprintf("c-%d", i)
		ids = append(ids, `"`+id+`"`)
		in := []*instance{f.a, f.b, f.c}[guess(id, 6)%3]
		switch {
		case i%10 == 0:
			continue // nobody knows it
		case i%7 == 0: // its producer has put it elsewhere
			in = f.c
		}
		in.query.known[id], whole.query.known[id] = true, true
	}
	body := `{"ids":[` + strings.Join(append(ids, ids[5]), ",") + `]}`
	_, want, _ := whole.post(body)
	for _, asked := range []*instance{f.a, f.b, f.c} {
		status, got, header := asked.post(body)
		require.Equal(t, 200, status)
		require.Equal(t, want, got)
		require.ElementsMatch(t, []string{"a", "b", "c"}, strings.Split(header.Get("Dangol-Instance"), ", "))
		require.Empty(t, header.Values("Dangol-Stale-Seconds"))
		require.LessOrEqual(t, len(asked.observer.outcomes()), 4, "two a round")
		for _, in := range []*instance{f.a, f.b, f.c} {
			calls := in.calls()
			seen := map[string]bool{}
			for _, call := range calls {
				require.False(t, seen[call], "asked twice: %s", call)
				seen[call] = true
			}
		}
	}
}

func TestBatchWithAnInstanceDown(t *testing.T) {
	f := newFleet(t, nil, nil)
	here, there, copied, other := idIn(0), idIn(2), idIn(1), idIn(4)
	f.a.query.known[here], f.c.query.known[there] = true, true
	f.b.web.Close()
	ask := fmt.Sprintf(`{"ids":[%q,%q,%q,%q]}`, copied, there, other, here)
	status, body, _ := f.a.post(ask)
	require.Equal(t, 503, status)
	require.Equal(t, errorBody("incomplete", fmt.Sprintf("2 customers, the first of them %q: no instance that answered knows them, but they may be where nobody looked: "+
		`instance "b" did not answer: no connection`, copied)), body)

	f.c.copies[copied], f.c.copies[other] = 3*time.Second, time.Second
	status, body, header := f.a.post(ask)
	require.Equal(t, 200, status)
	require.Equal(t, `{"customers":[`+strings.Join([]string{document(copied), document(there), document(other), document(here)}, ",")+`],"not_found":[]}`, body)
	require.Equal(t, "3.000", header.Get("Dangol-Stale-Seconds"), "the oldest")
	require.Equal(t, "a, c", header.Get("Dangol-Instance"))
	f.cluster.standbys[4], f.a.copies[other] = "a", 5*time.Second
	delete(f.c.copies, other)
	_, _, header = f.a.post(ask)
	require.Equal(t, "5.000", header.Get("Dangol-Stale-Seconds"), "the oldest of two standbys'")

	status, _, header = f.a.post(fmt.Sprintf(`{"ids":[%q,%q]}`, here, there))
	require.Equal(t, 200, status, "nobody needs b")
	require.Empty(t, header.Values("Dangol-Stale-Seconds"))
}

// targets are n customers of an audience, best first: every third place of one
// list, in which two at a time have the same score.
func targets(from, n int) []score.Target {
	var ts []score.Target
	for i := from; len(ts) < n; i += 3 {
		ts = append(ts, score.Target{CustomerID: fmt.Sprintf("c-%03d", i), Offer: score.Offer{ItemID: "A", Kind: "repeat", Score: 1 / float64(1+i/2), Value: 2.5}})
	}
	return ts
}

// The audience over three instances is that of one with all customers.
func TestAudienceOverInstances(t *testing.T) {
	f := newFleet(t, nil, func(_ string, p *Parts) { p.Encoder = encode.JSON{} })
	whole := newRigOf(t, nil, func(p *Parts) { p.Encoder = encode.JSON{} })
	for i := range 300 {
		whole.query.targets = append(whole.query.targets, targets(i, 1)...)
	}
	f.a.query.targets, f.b.query.targets, f.c.query.targets = targets(0, 100), targets(1, 100), targets(2, 100)
	for _, r := range []*rig{whole, f.a.rig, f.b.rig, f.c.rig} {
		r.query.known["A"] = true
	}
	for _, limit := range []int{1, 20, 100, 300, 1000} {
		path := fmt.Sprintf("/v1/items/A/audience?limit=%d", limit)
		_, want, _ := whole.get(path)
		for _, asked := range []*instance{f.a, f.b, f.c} {
			status, got, header := asked.get(path)
			require.Equal(t, 200, status)
			require.Equal(t, want, got)
			require.Equal(t, "a, b, c", header.Get("Dangol-Instance"))
		}
	}

	f.b.query.targets = f.a.query.targets // those of a partition that is being handed over
	_, once, _ := f.a.get("/v1/items/A/audience?limit=1000")
	require.Equal(t, 1, strings.Count(once, `"c-000"`))

	f.b.query.known = nil // it has not heard of the item yet
	status, _, header := f.a.get("/v1/items/A/audience")
	require.Equal(t, 200, status)
	require.Equal(t, "a, c", header.Get("Dangol-Instance"))
	f.b.web.Close()
	status, body, _ := f.a.get("/v1/items/A/audience")
	require.Equal(t, 503, status)
	require.Equal(t, errorBody("incomplete", `item "A": some of its audience may be where nobody looked: instance "b" did not answer: no connection`), body)
}
