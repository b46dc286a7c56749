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

	"github.com/dangol-dev/dangol/engine/pipeline"
)

func TestBadParameters(t *testing.T) {
	r := newRig(t, nil)
	r.query.known["c"] = true
	const forms = ` is neither RFC 3339, such as "2026-11-21T09:30:00Z", nor Unix milliseconds`
	const bound = " is outside 1970-01-01T00:00:00.001Z to 9999-12-31T23:59:59.999Z"
	const kinds = ` is none of same_order, same_session, next_order, same_customer`
	for path, message := range map[string]string{
		"/v1/customers/c?as_of=":                          `as_of: ""` + forms,
		"/v1/customers/c?as_of=yesterday":                 `as_of: "yesterday"` + forms,
		"/v1/customers/c?as_of=1998-07-01":                `as_of: "1998-07-01"` + forms,
		"/v1/customers/c?as_of=1e3":                       `as_of: "1e3"` + forms,
		"/v1/customers/c?as_of=99999999999999999999":      `as_of: "99999999999999999999"` + forms,
		"/v1/customers/c?as_of=1998-07-01T02:00:00+02:00": `as_of: "1998-07-01T02:00:00 02:00"` + forms + "; in a URL, write + as %2B",
		"/v1/customers/c?as_of=0":                         `as_of: "0"` + bound,
		"/v1/customers/c?as_of=-5":                        `as_of: "-5"` + bound,
		"/v1/population?as_of=253402300800000":            `as_of: "253402300800000"` + bound,
		"/v1/population?as_of=1969-12-31T23:59:59Z":       `as_of: "1969-12-31T23:59:59Z"` + bound,
		"/v1/customers/c?as_of=1&as_of=2":                 "as_of: given 2 times, want once",
		"/v1/customers/c?asof=1":                          `"asof": unknown parameter; this endpoint takes as_of`,
		"/v1/population?k=1":                              `"k": unknown parameter; this endpoint takes as_of`,
		"/v1/items/c/affinities?as_of=1":                  `"as_of": unknown parameter; this endpoint takes kind, k`,
		"/v1/items/c/affinities?kind=":                    `kind: ""` + kinds,
		"/v1/items/c/affinities?kind=Same_order":          `kind: "Same_order"` + kinds,
		"/v1/items/c/affinities?kind=next_order&kind=a":   "kind: given 2 times, want once",
		"/v1/items/c/audience?k=1":                        `"k": unknown parameter; this endpoint takes limit`,
		"/v1/items/c/audience?limit=0":                    `limit: "0" is not a whole number from 1 to 1000`,
		"/v1/items/c/audience?limit=1001":                 `limit: "1001" is not a whole number from 1 to 1000`,
		"/v1/items/c/affinities?k=0":                      `k: "0" is not a whole number from 1 to 100`,
		"/v1/items/c/affinities?k=101":                    `k: "101" is not a whole number from 1 to 100`,
		"/v1/items/c/affinities?k=2.5":                    `k: "2.5" is not a whole number from 1 to 100`,
		"/v1/items/c/affinities?k=":                       `k: "" is not a whole number from 1 to 100`,
		"/v1/customers/c?as_of=%zz":                       "query string: is malformed; percent-encode what is not a letter or a digit",
		"/v1/customers/c?as_of=1;k=2":                     "query string: is malformed; percent-encode what is not a letter or a digit",
		"/v1/customers/%ff":                               "id: is not UTF-8",
		"/v1/items/%c3%28/affinities":                     "id: is not UTF-8",
	} {
		status, body, _ := r.get(path)
		require.Equal(t, 400, status, path)
		require.Equal(t, errorBody("invalid_argument", message), body, path)
	}
	require.Empty(t, r.query.asked, "nothing was asked of the engine")
}

func TestBadBodies(t *testing.T) {
	r := newRig(t, nil)
	for body, message := range map[string]string{
		``:                         `body: is empty, want an object such as {"ids":["c-1"]}`,
		`  `:                       `body: is empty, want an object such as {"ids":["c-1"]}`,
		`null`:                     "ids: holds 0, want 1 to 1000",
		`[]`:                       `body: is a JSON array, want an object such as {"ids":["c-1"]}`,
		`"c-1"`:                    `body: is a JSON string, want an object such as {"ids":["c-1"]}`,
		`{}`:                       "ids: holds 0, want 1 to 1000",
		`{"ids":[]}`:               "ids: holds 0, want 1 to 1000",
		`{"ids":"c-1"}`:            "ids: is a JSON string, want a list of strings",
		`{"ids":[1]}`:              "ids: is a JSON number, want a list of strings",
		`{"ids":["a",""]}`:         "ids[1]: is empty",
		`{"ids":["a"],"asof":1}`:   `body: unknown field "asof"`,
		`{"ids":["a"]}{}`:          "body: something follows the JSON object",
		`{"ids":["a"]} x`:          "body: something follows the JSON object",
		`{"ids":["a"`:              "body: ends within the JSON object",
		`{"ids":["a",]}`:           "body: is not JSON from byte 13 on",
		"{\"ids\":[\"\xff\"]}":     "body: is not UTF-8",
		`{"ids":["a"],"as_of":0}`:  `as_of: "0" is outside 1970-01-01T00:00:00.001Z to 9999-12-31T23:59:59.999Z`,
		`{"ids":["a"],"as_of":{}}`: `as_of: "{}" is neither RFC 3339, such as "2026-11-21T09:30:00Z", nor Unix milliseconds`,
		`{"ids":["a"],"as_of":""}`: `as_of: "" is neither RFC 3339, such as "2026-11-21T09:30:00Z", nor Unix milliseconds`,
	} {
		status, got, _ := r.post(body)
		require.Equal(t, 400, status, body)
		require.Equal(t, errorBody("invalid_argument", message), got, body)
	}
	require.Empty(t, r.query.asked)
}

func TestBodyTooLarge(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxBodyBytes = 1024 })
	fits := `{"ids":["a"]}` + strings.Repeat(" ", 1024-len(`{"ids":["a"]}`))
	status, _, _ := r.post(fits)
	require.Equal(t, 200, status)
	status, body, _ := r.post(fits + " ")
	require.Equal(t, 413, status)
	require.Equal(t, errorBody("too_large", "the body is larger than 1024 bytes"), body)
}

func TestMediaType(t *testing.T) {
	r := newRig(t, nil)
	send := func(contentType, coding string) (int, string) {
		req := httptest.NewRequest(http.MethodPost, "/v1/customers:batchGet", strings.NewReader(`{"ids":["a"]}`))
		req.Header.Set("Content-Type", contentType)
		req.Header.Set("Content-Encoding", coding)
		status, body, _ := r.do(req)
		return status, body
	}
	for _, good := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON"} {
		status, body := send(good, "")
		require.Equal(t, 200, status, body)
	}
	for _, bad := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", ";"} {
		status, body := send(bad, "")
		require.Equal(t, 415, status, bad)
		require.Equal(t, errorBody("unsupported_media_type", "the body must be JSON, with the header Content-Type: application/json"), body)
	}
	status, body := send("application/json", "gzip")
	require.Equal(t, 415, status)
	require.Equal(t, errorBody("unsupported_media_type", "the body must not be compressed"), body)
}

func TestWrongMethodAndPath(t *testing.T) {
	r := newRig(t, nil)
	for _, route := range append(r.server.routes(), route{method: http.MethodGet, path: "/"}) {
		path := strings.ReplaceAll(route.path, "{id}", "x")
		allow := map[string]string{http.MethodGet: "GET, HEAD", http.MethodPost: "POST"}[route.method]
		for _, method := range []string{"DELETE", "PUT", "PATCH", "OPTIONS", "GET", "HEAD", "POST"} {
			status, body, header := r.do(httptest.NewRequest(method, path, nil))
			if strings.Contains(allow, method) {
				require.NotEqual(t, 405, status, "%s %s", method, path)
				continue
			}
			require.Equal(t, 405, status, "%s %s", method, path)
			require.Equal(t, allow, header.Get("Allow"))
			require.Contains(t, body, `{"error":{"code":"method_not_allowed","message":"this endpoint takes `+route.method)
		}
	}
	for _, path := range []string{"/v1", "/v1/", "/v1/customers", "/v1/customers/", "/v1/customers/a/b", "/v1/customers/a//b", "/v1/customers/..",
		"/v1/customers/./a", "//", "/v1/items/a", "/v1/items//affinities", "/v2/customers/a", "/healthz/", "/index.html"} {
		status, body, header := r.get(path)
		require.Equal(t, 404, status, path)
		require.Equal(t, errorBody("not_found", "no such endpoint; GET / lists them; write a / within an id as %2F"), body, path)
		require.Empty(t, header.Get("Location"))
	}
}

func TestQueryFaults(t *testing.T) {
	r := newRig(t, nil)
	r.query.hook = func(context.Context, string) error { return fmt.Errorf("partition 3: %w", pipeline.ErrNotReady) }
	for _, path := range []string{"/v1/customers/c", "/v1/items/c/affinities", "/v1/items/c/audience", "/v1/population"} {
		status, body, header := r.get(path)
		require.Equal(t, 503, status)
		require.Equal(t, errorBody("not_ready", "not ready: state is being restored"), body)
		require.Equal(t, "1", header.Get("Retry-After"))
	}
	require.Empty(t, r.log.String())

	r.query.hook = func(_ context.Context, id string) error {
		return errors.New("pebble: block 7 of " + id + " is corrupt")
	}
	for _, path := range []string{"/v1/customers/kim@example.org", "/v1/items/kim@example.org/affinities",
		"/v1/items/kim@example.org/audience", "/v1/population"} {
		r.log.Reset()
		status, body, _ := r.get(path)
		require.Equal(t, 500, status)
		require.Equal(t, errorBody("internal", "internal error; the server's log says which"), body, "no internals")
		require.Contains(t, r.log.String(), "pebble: block 7 of ")
		require.NotContains(t, r.log.String(), "kim@", "no customer in the log")
	}
	status, _, _ := r.post(`{"ids":["kim@example.org"]}`)
	require.Equal(t, 500, status)
	require.NotContains(t, r.log.String(), "kim@")
}

func TestPanicIsA500(t *testing.T) {
	r := newRig(t, nil)
	r.query.hook = func(context.Context, string) error { panic("a broken invariant") }
	status, body, _ := r.get("/v1/customers/c")
	require.Equal(t, 500, status)
	require.Equal(t, errorBody("internal", "internal error; the server's log says which"), body)
	require.Contains(t, r.log.String(), "a broken invariant")
	require.Equal(t, seenRequest{"/v1/customers/{id}", 500}, r.observer.last(t))

	// Once something was sent, the connection must break: half an answer is no answer.
	h := r.server.observed("x", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		panic("late")
	}))
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	})
}

func TestQueryTimeout(t *testing.T) {
	r := newRig(t, func(c *Config) { c.QueryTimeout = 5 * time.Millisecond })
	r.query.hook = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
	status, body, header := r.get("/v1/population")
	require.Equal(t, 503, status)
	require.Equal(t, errorBody("timeout", "the query took longer than the server's query_timeout; try again, or ask for less at once"), body)
	require.Equal(t, "5", header.Get("Retry-After"))

	// A batch stops between two customers too, where the query does not look.
	r.query.hook = func(ctx context.Context, _ string) error { <-ctx.Done(); return nil }
	r.query.known = map[string]bool{"a": true, "b": true}
	r.query.asked = nil
	status, _, _ = r.post(`{"ids":["a","b"]}`)
	require.Equal(t, 503, status)
	require.Len(t, r.query.asked, 1)
}

func TestLongIDsAreCutInMessages(t *testing.T) {
	r := newRig(t, nil)
	_, body, _ := r.get("/v1/customers/" + strings.Repeat("%EB%8B%A8", 65))
	require.Equal(t, errorBody("not_found", `customer "`+strings.Repeat("단", 64)+`"…: not found`), body)
}
