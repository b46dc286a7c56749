package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

func TestCustomer(t *testing.T) {
	r := newRig(t, nil)
	r.query.known["c-42"] = true
	status, body, header := r.get("/v1/customers/c-42")
	require.Equal(t, 200, status)
	require.Equal(t, `{"customer_id":"c-42","as_of":0}`, body)
	require.Equal(t, "application/json", header.Get("Content-Type"))
	require.Equal(t, "no-store", header.Get("Cache-Control"))
	require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))

	status, body, _ = r.get("/v1/customers/c-43")
	require.Equal(t, 404, status)
	require.Equal(t, `{"error":{"code":"not_found","message":"customer \"c-43\": not found"}}`, body)
}

func TestAsOf(t *testing.T) {
	r := newRig(t, nil)
	r.query.known["c"] = true
	for param, ms := range map[string]int64{
		"1998-07-01T00:00:00Z":           899251200000,
		"1998-07-01T02:00:00%2B02:00":    899251200000,
		"1998-07-01T00:00:00.250Z":       899251200250,
		"899251200000":                   899251200000,
		"1":                              1,
		"253402300799999":                253402300799999,
		"9999-12-31T23:59:59.999999999Z": 253402300799999,
	} {
		status, body, _ := r.get("/v1/customers/c?as_of=" + param)
		require.Equal(t, 200, status, body)
		require.Equal(t, fmt.Sprintf(`{"customer_id":"c","as_of":%d}`, ms), body, param)
		_, body, _ = r.get("/v1/population?as_of=" + param)
		require.Equal(t, fmt.Sprintf(`{"as_of":%d,"customers":7}`, ms), body, param)
	}
}

// Whatever an id holds, the query is asked for exactly it.
func TestAnyIDTravels(t *testing.T) {
	r := newRig(t, nil)
	check := func(t require.TestingT, id string) {
		r.query.known = map[string]bool{id: true}
		for _, path := range []string{"/v1/customers/" + escape(id), "/v1/items/" + escape(id) + "/affinities", "/v1/items/" + escape(id) + "/audience"} {
			rec := httptest.NewRecorder()
			r.server.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
			require.Equal(t, 200, rec.Code, "%q: %s", path, rec.Body)
		}
	}
	for _, id := range []string{"단골-42", "a/b", "a//b", "/", "//", ".", "..", "../../etc", "a b", "a+b", "a%2Fb", "?as_of=1", "#x",
		"x:batchGet", "{id}", "\"", "<script>", "\x00", "\n", "é", "e\u0301", "🍕", "affinities", strings.Repeat("x", 4000)} {
		check(t, id)
	}
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.StringN(1, 40, -1).Draw(t, "id")) })
}

// escape is url.PathEscape, and the dots too, which clients would resolve.
func escape(id string) string { return strings.ReplaceAll(url.PathEscape(id), ".", "%2E") }

func TestBatchGet(t *testing.T) {
	r := newRig(t, nil)
	r.query.known = map[string]bool{"a": true, "b": true, "단골": true}
	status, body, _ := r.post(`{"ids":["b","nobody","a","b","단골","no\"one"]}`)
	require.Equal(t, 200, status)
	require.Equal(t, `{"customers":[{"customer_id":"b","as_of":0},{"customer_id":"a","as_of":0},{"customer_id":"단골","as_of":0}],`+
		`"not_found":["nobody","no\"one"]}`, body)

	_, body, _ = r.post(`{"as_of":"1998-07-01T00:00:00Z","ids":["a"]}`)
	require.Equal(t, `{"customers":[{"customer_id":"a","as_of":899251200000}],"not_found":[]}`, body)
	_, body, _ = r.post(`{"as_of":5,"ids":["a"]}`)
	require.Equal(t, `{"customers":[{"customer_id":"a","as_of":5}],"not_found":[]}`, body)
	_, body, _ = r.post(`{"as_of":null,"ids":["a"]} `)
	require.Equal(t, `{"customers":[{"customer_id":"a","as_of":0}],"not_found":[]}`, body)
	_, body, _ = r.post(`{"ids":["x"]}`)
	require.Equal(t, `{"customers":[],"not_found":["x"]}`, body)
}

func TestBatchGetTakesAThousand(t *testing.T) {
	r := newRig(t, nil)
	ids := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf(`"c-%d"`, i)
		}
		return `{"ids":[` + strings.Join(all, ",") + `]}`
	}
	status, _, _ := r.post(ids(1000))
	require.Equal(t, 200, status)
	require.Len(t, r.query.asked, 1000)
	status, body, _ := r.post(ids(1001))
	require.Equal(t, 400, status)
	require.Equal(t, errorBody("invalid_argument", "ids: holds 1001, want 1 to 1000"), body)
}

func TestModels(t *testing.T) {
	r := newRig(t, nil)
	status, body, _ := r.get("/v1/models")
	require.Equal(t, 200, status)
	require.Equal(t, `{"version":1}`, body)
	status, body, _ = r.get("/v1/models?as_of=5")
	require.Equal(t, 400, status, "there are only the present ones")
	require.Contains(t, body, "as_of")
	r.query.hook = func(context.Context, string) error { return pipeline.ErrNotReady }
	status, _, _ = r.get("/v1/models")
	require.Equal(t, 503, status)
}

func TestHealthAndReadiness(t *testing.T) {
	r := newRig(t, nil)
	status, body, _ := r.get("/healthz")
	require.Equal(t, 200, status)
	require.Equal(t, `{"status":"ok"}`, body)
	status, body, _ = r.get("/readyz")
	require.Equal(t, 200, status)
	require.Equal(t, `{"status":"ready"}`, body)

	r.query.ready = fmt.Errorf("partition 3: 1200 changelog records to go")
	status, body, header := r.get("/readyz")
	require.Equal(t, 503, status)
	require.Equal(t, errorBody("not_ready", "partition 3: 1200 changelog records to go"), body)
	require.Equal(t, "1", header.Get("Retry-After"))
	status, _, _ = r.get("/healthz")
	require.Equal(t, 200, status, "a process that restores is not dead")
}

func TestPlainEndpoints(t *testing.T) {
	r := newRig(t, nil)
	status, body, header := r.get("/")
	require.Equal(t, 200, status)
	require.Equal(t, "text/plain; charset=utf-8", header.Get("Content-Type"))
	for _, route := range r.server.routes() {
		require.Contains(t, body, fmt.Sprintf("\n%-5s%-27s", route.method, route.path))
	}
	status, body, _ = r.get("/metrics")
	require.Equal(t, 200, status)
	require.Equal(t, "metrics_total 1", body)
	status, body, header = r.get("/openapi.yaml")
	require.Equal(t, 200, status)
	require.Equal(t, "application/yaml", header.Get("Content-Type"))
	require.True(t, strings.HasPrefix(body, "openapi: 3.1.0\n"))
}

func TestNoMetricsNoEndpoint(t *testing.T) {
	s, err := New(DefaultConfig(), Parts{Query: &fakeQuery{}, Encoder: fakeEncoder{}})
	require.NoError(t, err)
	rec := httptest.NewRecorder()
	s.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, 404, rec.Code)
	rec = httptest.NewRecorder()
	s.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	require.NotContains(t, rec.Body.String(), "/metrics")
}

// The observer hears patterns, never paths: each would be a series.
func TestObserver(t *testing.T) {
	r := newRig(t, nil)
	r.query.known["c"] = true
	for path, want := range map[string]seenRequest{
		"/v1/customers/c":         {"/v1/customers/{id}", 200},
		"/v1/customers/x":         {"/v1/customers/{id}", 404},
		"/v1/customers/c?as_of=x": {"/v1/customers/{id}", 400},
		"/v1/items/c/affinities":  {"/v1/items/{id}/affinities", 200},
		"/v1/items/c/audience":    {"/v1/items/{id}/audience", 200},
		"/v1/affinities":          {"/v1/affinities", 405},
		"/v1/customers:batchGet":  {"/v1/customers:batchGet", 405},
		"/":                       {"/", 200},
		"/metrics":                {"/metrics", 200},
		"/nowhere/" + "c":         {"other", 404},
		"/v1//customers/c":        {"other", 404},
	} {
		r.get(path)
		require.Equal(t, want, r.observer.last(t), path)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.query.hook = func(ctx context.Context, _ string) error { return ctx.Err() }
	r.do(httptest.NewRequest(http.MethodGet, "/v1/customers/c", nil).WithContext(ctx))
	require.Equal(t, seenRequest{"/v1/customers/{id}", 499}, r.observer.last(t), "the client went away")
}
