package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

func TestAffinities(t *testing.T) {
	r := newRig(t, nil)
	r.query.known["A"] = true
	for param, asked := range map[string]string{
		"": "same_order 10", "?k=1": "same_order 1", "?k=100": "same_order 100", "?kind=same_order": "same_order 10",
		"?kind=same_session": "same_session 10", "?kind=next_order&k=3": "next_order 3", "?k=2&kind=same_customer": "same_customer 2",
	} {
		status, body, _ := r.get("/v1/items/A/affinities" + param)
		require.Equal(t, 200, status)
		kind, _, _ := strings.Cut(asked, " ")
		require.Equal(t, fmt.Sprintf(`{"item_id":"A","kind":%q,"affinities":1}`, kind), body)
		require.Equal(t, `item "A" `+asked, r.query.asked[len(r.query.asked)-1])
	}
	status, body, _ := r.get("/v1/items/Z/affinities")
	require.Equal(t, 404, status)
	require.Equal(t, errorBody("not_found", `item "Z": not found`), body)
}

func TestAudience(t *testing.T) {
	r := newRig(t, nil)
	r.query.known["A/b"] = true
	for param, limit := range map[string]int{"": 100, "?limit=1": 1, "?limit=1000": 1000} {
		status, body, _ := r.get("/v1/items/A%2Fb/audience" + param)
		require.Equal(t, 200, status)
		require.Equal(t, `{"item_id":"A/b","audience":1}`, body)
		require.Equal(t, fmt.Sprintf(`audience "A/b" %d`, limit), r.query.asked[len(r.query.asked)-1])
	}
	status, body, _ := r.get("/v1/items/Z/audience")
	require.Equal(t, 404, status)
	require.Equal(t, errorBody("not_found", `item "Z": not found`), body)
}

// An audience reads many customers: it waits with those who ask for another
// instant.
func TestAudienceWaitsForItsTurn(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxScans = 1 })
	r.query.known["A"] = true
	require.NoError(t, r.server.scans.enter(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.do(httptest.NewRequest(http.MethodGet, "/v1/items/A/audience", nil).WithContext(ctx))
	require.Equal(t, seenRequest{"/v1/items/{id}/audience", 499}, r.observer.last(t), "it waited until its client went away")
	require.Empty(t, r.query.asked)
	r.server.scans.leave()
	for range 3 {
		status, _, _ := r.get("/v1/items/A/audience")
		require.Equal(t, 200, status, "the slot is given back")
	}
}

func TestTogether(t *testing.T) {
	r := newRig(t, nil)
	r.query.known["A"], r.query.known["B"] = true, true
	for body, want := range map[string][2]string{
		`{"items":["A","B"]}`: {`["A" "B"] same_order 10`, `{"items":["A" "B"],"unknown":[],"kind":"same_order","affinities":2}`},
		`{"items":["B","X","A","B"],"kind":"next_order","k":3}`: {`["B" "X" "A"] next_order 3`,
			`{"items":["B" "A"],"unknown":["X"],"kind":"next_order","affinities":2}`},
		`{"items":["A"],"kind":null,"k":null}`: {`["A"] same_order 10`, `{"items":["A"],"unknown":[],"kind":"same_order","affinities":2}`},
	} {
		status, got, _ := r.postTo("/v1/affinities", body)
		require.Equal(t, 200, status, got)
		require.Equal(t, want[1], got)
		require.Equal(t, "together "+want[0], r.query.asked[len(r.query.asked)-1])
	}
	status, body, _ := r.postTo("/v1/affinities", `{"items":["X","Y\"","X"]}`)
	require.Equal(t, 404, status)
	require.Equal(t, errorBody("not_found", `items "X", "Y\"": not found`), body)
}

func TestTogetherTakesACart(t *testing.T) {
	r := newRig(t, nil)
	items := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf(`"i-%d"`, i)
			r.query.known[fmt.Sprintf("i-%d", i)] = true
		}
		return `{"items":[` + strings.Join(all, ",") + `]}`
	}
	status, _, _ := r.postTo("/v1/affinities", items(64))
	require.Equal(t, 200, status)
	status, body, _ := r.postTo("/v1/affinities", items(65))
	require.Equal(t, 400, status)
	require.Equal(t, errorBody("invalid_argument", "items: holds 65, want 1 to 64"), body)
}

func TestBadSets(t *testing.T) {
	r := newRig(t, nil)
	const kinds = ` is none of same_order, same_session, next_order, same_customer`
	for body, message := range map[string]string{
		``:                                 `body: is empty, want an object such as {"items":["A","B"]}`,
		`[]`:                               `body: is a JSON array, want an object such as {"items":["A","B"]}`,
		`{}`:                               "items: holds 0, want 1 to 64",
		`{"items":[]}`:                     "items: holds 0, want 1 to 64",
		`{"items":"A"}`:                    "items: is a JSON string, want a list of strings",
		`{"items":[1]}`:                    "items: is a JSON number, want a list of strings",
		`{"items":["A",""]}`:               "items[1]: is empty",
		`{"items":["A"],"kind":""}`:        `kind: ""` + kinds,
		`{"items":["A"],"kind":"triples"}`: `kind: "triples"` + kinds,
		`{"items":["A"],"kind":1}`:         "kind: is a JSON number, want a string",
		`{"items":["A"],"k":0}`:            "k: 0 is not a whole number from 1 to 100",
		`{"items":["A"],"k":101}`:          "k: 101 is not a whole number from 1 to 100",
		`{"items":["A"],"k":2.5}`:          "k: is a JSON number 2.5, want a whole number",
		`{"items":["A"],"k":"5"}`:          "k: is a JSON string, want a whole number",
		`{"items":["A"],"limit":5}`:        `body: unknown field "limit"`,
		`{"items":["A"]}{}`:                "body: something follows the JSON object",
		"{\"items\":[\"\xff\"]}":           "body: is not UTF-8",
	} {
		status, got, _ := r.postTo("/v1/affinities", body)
		require.Equal(t, 400, status, body)
		require.Equal(t, errorBody("invalid_argument", message), got, body)
	}
	status, body, _ := r.postTo("/v1/affinities?kind=same_order", `{"items":["A"]}`)
	require.Equal(t, 400, status)
	require.Equal(t, errorBody("invalid_argument", `"kind": unknown parameter; this endpoint takes none`), body)
	require.Empty(t, r.query.asked)
}

func TestTogetherFaults(t *testing.T) {
	r := newRig(t, nil)
	r.query.hook = func(context.Context, string) error { return pipeline.ErrNotReady }
	status, body, _ := r.postTo("/v1/affinities", `{"items":["A"]}`)
	require.Equal(t, 503, status)
	require.Equal(t, errorBody("not_ready", "not ready: state is being restored"), body)

	r.query.hook = func(_ context.Context, ids string) error { return errors.New("no room for " + ids) }
	status, _, _ = r.postTo("/v1/affinities", `{"items":["blue-kimono","red-kimono"]}`)
	require.Equal(t, 500, status)
	require.Contains(t, r.log.String(), "no room for [id] [id]")
}
