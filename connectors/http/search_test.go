package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// The guess is where Kafka's own producers put a key.
func TestGuessIsKafkasPartitioner(t *testing.T) {
	kafkas := kgo.StickyKeyPartitioner(nil).ForTopic("events")
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringN(1, 40, -1).Draw(t, "id")
		n := rapid.Int32Range(1, 1000).Draw(t, "n")
		require.Equal(t, int32(kafkas.Partition(&kgo.Record{Key: []byte(id)}, int(n))), guess(id, n))
	})
}

func TestFoundHereAsksNobody(t *testing.T) {
	f := newFleet(t, nil, nil)
	id := idIn(1) // b's by its key; its producer has put it elsewhere
	f.a.query.known[id] = true
	status, body, header := f.a.get("/v1/customers/" + id)
	require.Equal(t, 200, status)
	require.Equal(t, document(id), body)
	require.Equal(t, "a", header.Get("Dangol-Instance"))
	require.Empty(t, header.Values("Dangol-Stale-Seconds"))
	require.Empty(t, header.Values("Dangol-Partitions"), "between instances only")
	require.Empty(t, f.a.observer.outcomes())
}

func TestFoundAtTheProbableOwner(t *testing.T) {
	f := newFleet(t, nil, nil)
	id := idIn(4)
	f.b.query.known[id] = true
	status, body, header := f.a.get("/v1/customers/" + id)
	require.Equal(t, 200, status)
	require.Equal(t, document(id), body)
	require.Equal(t, "b", header.Get("Dangol-Instance"))
	require.Equal(t, "application/json", header.Get("Content-Type"))
	require.Equal(t, []string{"found"}, f.a.observer.outcomes())
	require.Empty(t, f.c.calls(), "it was not needed")

	status, _, _ = f.a.do(httptest.NewRequest(http.MethodHead, "/v1/customers/"+id, nil))
	require.Equal(t, 200, status)
}

// A producer that places records otherwise than Kafka's own.
func TestFoundAnywhere(t *testing.T) {
	f := newFleet(t, nil, nil)
	for i := range 60 { // of each partition some, on each instance some
		[]*instance{f.a, f.b, f.c}[i%3].query.known[fmt.Sprintf("x-%d", i)] = true
	}
	f.c.query.known[idIn(1)] = true
	for i := range 60 {
		id := fmt.Sprintf("x-%d", i)
		for _, asked := range []*instance{f.a, f.b, f.c} {
			status, body, header := asked.get("/v1/customers/" + id)
			require.Equal(t, 200, status, body)
			require.Equal(t, document(id), body)
			require.Equal(t, string("abc"[i%3]), header.Get("Dangol-Instance"))
		}
	}
	f.a.observer.outcomes()
	_, _, header := f.a.get("/v1/customers/" + idIn(1))
	require.Equal(t, "c", header.Get("Dangol-Instance"))
	require.Equal(t, []string{"found", "not_found"}, f.a.observer.outcomes())
}

func TestNotFoundOnlyWhereAllSaySo(t *testing.T) {
	f := newFleet(t, nil, nil)
	id := idIn(4)
	status, body, header := f.a.get("/v1/customers/" + id)
	require.Equal(t, 404, status)
	require.Equal(t, errorBody("not_found", fmt.Sprintf("customer %q: not found", id)), body)
	require.Equal(t, "a", header.Get("Dangol-Instance"))
	require.Equal(t, []string{"not_found", "not_found"}, f.a.observer.outcomes())
	for _, in := range []*instance{f.a, f.b, f.c} {
		require.Equal(t, []string{fmt.Sprintf("customer %q 0", id)}, in.calls(), "each once")
	}

	f.c.web.Close() // not the probable owner, but it may have the customer
	status, body, header = f.a.get("/v1/customers/" + id)
	require.Equal(t, 503, status)
	require.Equal(t, incomplete(id, `instance "c" did not answer: no connection`), body)
	require.Equal(t, "1", header.Get("Retry-After"))
	require.Equal(t, []string{"not_found", "unreachable"}, f.a.observer.outcomes(), "c's standby is a itself")
}

func TestOwnerDownIsNamed(t *testing.T) {
	f := newFleet(t, nil, nil)
	f.b.web.Close()
	for _, id := range []string{idIn(1), idIn(4)} {
		status, body, _ := f.a.get("/v1/customers/" + id)
		require.Equal(t, 503, status)
		require.Equal(t, incomplete(id, `instance "b" did not answer: no connection`), body)
	}
	require.Equal(t, 1, strings.Count(f.a.log.String(), "an instance does not answer"), "once, not for each request")
	require.NotContains(t, f.a.log.String(), idIn(1), "no customer in the log")

	f.cluster.members[1].Address = "" // an instance that tells no address
	_, body, _ := f.a.get("/v1/customers/" + idIn(1))
	require.Equal(t, incomplete(idIn(1), `instance "b" did not answer: it has told no address`), body)

	f.c.query.known[idIn(4)] = true // who does have the customer answers, whoever is down
	status, body, _ := f.a.get("/v1/customers/" + idIn(4))
	require.Equal(t, 200, status)
	require.Equal(t, document(idIn(4)), body)
}

func TestStandbyAnswersFromItsCopy(t *testing.T) {
	f := newFleet(t, nil, nil)
	id := idIn(1)
	f.c.copies[id] = 1500 * time.Millisecond
	status, body, _ := f.a.get("/v1/customers/" + id)
	require.Equal(t, 404, status, body+": its owner answers, and knows better than a copy")

	f.b.query.hook = func(context.Context, string) error { return fmt.Errorf("partition 1: %w", pipeline.ErrNotReady) }
	f.a.observer.outcomes()
	for _, outcomes := range [][]string{{"copy", "not_found", "refused"}, {"copy", "not_found", "unreachable"}} {
		status, body, header := f.a.get("/v1/customers/" + id)
		require.Equal(t, 200, status)
		require.Equal(t, document(id), body)
		require.Equal(t, "c", header.Get("Dangol-Instance"))
		require.Equal(t, "1.500", header.Get("Dangol-Stale-Seconds"))
		require.Equal(t, outcomes, f.a.observer.outcomes())
		f.b.web.Close() // and then it is gone
	}
	status, _, header := f.c.get("/v1/customers/" + id) // the standby itself is asked
	require.Equal(t, 200, status)
	require.Equal(t, "c", header.Get("Dangol-Instance"))
	require.Equal(t, "1.500", header.Get("Dangol-Stale-Seconds"))

	status, body, header = f.a.get("/v1/customers/" + id + "?as_of=5")
	require.Equal(t, 503, status, "a copy knows the present alone")
	require.Equal(t, []string{"not_found", "unreachable"}, f.a.observer.outcomes(), "and is not asked")
	require.Equal(t, incomplete(id, `instance "b" did not answer: no connection`), body)
	require.Empty(t, header.Values("Dangol-Stale-Seconds"))
	status, body, _ = f.a.get("/v1/customers/" + idIn(4))
	require.Equal(t, 503, status, "that a copy lacks a customer proves nothing")
	require.Equal(t, incomplete(idIn(4), `instance "b" did not answer: no connection`), body)
}

// An instance that restores its own state still asks the others, and its own copies.
func TestAskedWhileNotReady(t *testing.T) {
	f := newFleet(t, nil, nil)
	f.a.query.hook = func(context.Context, string) error { return pipeline.ErrNotReady }
	f.b.query.known[idIn(4)] = true
	status, body, _ := f.a.get("/v1/customers/" + idIn(4))
	require.Equal(t, 200, status)
	require.Equal(t, document(idIn(4)), body)
	_, body, _ = f.a.get("/v1/customers/" + idIn(0))
	require.Equal(t, incomplete(idIn(0), `instance "a" did not answer: its state is being restored`), body)
	f.b.copies[idIn(0)] = 0
	status, _, header := f.a.get("/v1/customers/" + idIn(0))
	require.Equal(t, 200, status)
	require.Equal(t, "0.000", header.Get("Dangol-Stale-Seconds"))

	f.c.web.Close() // whose partitions a follows
	f.a.copies[idIn(2)] = time.Second
	status, _, header = f.a.get("/v1/customers/" + idIn(2))
	require.Equal(t, 200, status)
	require.Equal(t, "a", header.Get("Dangol-Instance"))
	require.Equal(t, "1.000", header.Get("Dangol-Stale-Seconds"))
}

// A request of another instance goes no further, whatever the views of the two.
func TestNoCircle(t *testing.T) {
	f := newFleet(t, nil, nil)
	status, _, _ := f.a.get("/v1/customers/" + idIn(1))
	require.Equal(t, 404, status)
	for _, in := range []*instance{f.b, f.c} {
		require.Len(t, in.calls(), 1)
		require.Empty(t, in.observer.outcomes())
	}
	for _, mark := range []string{"1", "copy", "anything"} {
		req := httptest.NewRequest(http.MethodGet, "/v1/customers/"+idIn(1), nil)
		req.Header.Set("Dangol-Forwarded", mark)
		status, _, header := f.a.do(req)
		require.Equal(t, 404, status)
		require.Equal(t, "a", header.Get("Dangol-Instance"))
	}
	require.Len(t, f.a.calls(), 4)
	require.Len(t, f.a.observer.outcomes(), 2, "those of the first request")
}

func TestForwardOff(t *testing.T) {
	f := newFleet(t, func(c *Config) { c.Forward = false }, nil)
	f.b.query.known[idIn(1)] = true
	status, _, header := f.a.get("/v1/customers/" + idIn(1))
	require.Equal(t, 404, status)
	require.Equal(t, "a", header.Get("Dangol-Instance"))
	require.Empty(t, f.a.observer.outcomes())
}

// This instance's own errors are the request's, as they are without others.
func TestOwnErrorsStay(t *testing.T) {
	f := newFleet(t, nil, nil)
	f.a.query.hook = func(context.Context, string) error { return errors.New("pebble: corrupt") }
	for _, path := range []string{"/v1/customers/c", "/v1/items/c/audience"} {
		status, body, _ := f.a.get(path)
		require.Equal(t, 500, status)
		require.Equal(t, errorBody("internal", "internal error; the server's log says which"), body)
	}
	f.a.query.hook = func(context.Context, string) error { panic("a broken invariant") }
	for _, path := range []string{"/v1/customers/c", "/v1/items/c/audience"} {
		status, _, _ := f.a.get(path)
		require.Equal(t, 500, status)
	}
	f = newFleet(t, nil, nil)
	f.b.query.hook = func(context.Context, string) error { panic("a broken invariant of another") }
	_, body, _ := f.a.get("/v1/customers/" + idIn(1))
	require.Equal(t, incomplete(idIn(1), `instance "b" did not answer: it answered with status 500`), body)
}
