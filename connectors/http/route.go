package api

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// answer makes the JSON of one request, or says why not: a *fault, or what the
// Query said.
type answer func(http.ResponseWriter, *http.Request) ([]byte, error)

// route is one endpoint. Every endpoint has one method (GET serves HEAD too)
// and either an answer or a handler.
type route struct {
	method  string
	path    string // a ServeMux pattern without its method, and the metrics' name
	about   string // one line of the index
	answer  answer
	handler http.Handler
}

// otherRoute is the metrics' name for requests that match no endpoint.
const otherRoute = "other"

// routes lists the endpoints in the order of the index, which is not among them.
func (s *Server) routes() []route {
	get, post := http.MethodGet, http.MethodPost
	rs := []route{
		{method: get, path: "/v1/customers/{id}", answer: s.customer,
			about: "one customer's scores; ?as_of= for another instant"},
		{method: post, path: batchPath, answer: s.batchGet,
			about: `many customers' scores; body {"ids":["c-1","c-2"]}, optional "as_of"`},
		{method: get, path: "/v1/items/{id}/affinities", answer: s.affinities,
			about: "what goes with an item; ?kind= same_order, same_session, next_order, same_customer; ?k= how many, 1 to 100"},
		{method: get, path: "/v1/items/{id}/audience", answer: s.audience,
			about: "the customers to tell about an item; ?limit= how many, 1 to 1000"},
		{method: post, path: "/v1/affinities", answer: s.together,
			about: `what goes best with a set of items, such as a cart; body {"items":["A","B"]}, optional "kind", "k"`},
		{method: get, path: "/v1/population", answer: s.population,
			about: "all customers: counts by segment, stage, churn band and level, cut points; ?as_of="},
		{method: get, path: "/v1/models", answer: s.models,
			about: "the fitted models that scores are given by, and how well they did"},
		{method: get, path: "/v1/partitions", answer: s.partitions,
			about: "this instance's partitions: open, being restored, copies of others'"},
		{method: get, path: "/v1/partitions/{id}/digest", answer: s.digest,
			about: "a sum over a partition's state, to compare it by; ?slices=, ?slice=, ?entries=true"},
		{method: get, path: "/healthz", answer: health,
			about: "200 while the process lives"},
		{method: get, path: "/readyz", answer: s.ready,
			about: "200 when every partition answers, else 503 and the reason"},
		{method: get, path: "/openapi.yaml", handler: http.HandlerFunc(serveOpenAPI),
			about: "this API for machines"},
	}
	if s.parts.Metrics != nil {
		rs = append(rs, route{method: get, path: "/metrics", handler: s.parts.Metrics,
			about: "figures for Prometheus"})
	}
	return rs
}

// newHandler wires the endpoints. ServeMux would answer a wrong method or path
// in plain text, so both are endpoints of their own.
func (s *Server) newHandler() http.Handler {
	mux := http.NewServeMux()
	add := func(method, path, label string, h http.Handler) {
		mux.Handle(method+" "+path, s.observed(label, h))
		mux.Handle(path, s.observed(label, refuse(wrongMethod(method))))
	}
	rs := s.routes()
	for _, r := range rs {
		h := r.handler
		if r.answer != nil {
			h = s.answering(r.path, r.answer)
		}
		add(r.method, r.path, r.path, h)
	}
	add(http.MethodGet, "/{$}", "/", serveIndex(indexText(rs)))
	missing := s.observed(otherRoute, refuse(&fault{status: http.StatusNotFound, code: codeNotFound,
		message: "no such endpoint; GET / lists them; write a / within an id as %2F"}))
	mux.Handle("/", missing)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store") // true now; not a minute later
		if !clean(r.URL.EscapedPath()) {
			missing.ServeHTTP(w, r)
			return
		}
		h, _ := mux.Handler(matchable(r))
		h.ServeHTTP(w, r)
	})
}

// idSegment is where a path's id stands: /v1/customers/{id}, /v1/items/{id}/affinities.
const idSegment = 3

// matchable is r as ServeMux must see it: a segment that is a lone %2F, the id
// "/", it would take for a trailing slash. The handlers get r itself.
func matchable(r *http.Request) *http.Request {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	if len(segments) <= idSegment || !strings.EqualFold(segments[idSegment], "%2F") {
		return r
	}
	segments[idSegment] = "id"
	seen := *r
	seen.URL = &url.URL{Path: strings.Join(segments, "/")}
	return &seen
}

// clean reports whether ServeMux takes p as it is. Otherwise it would send the
// client to another path, and a customer "a//b" would be answered as "a/b".
func clean(p string) bool {
	c := path.Clean(p)
	return c == p || c != "/" && c+"/" == p
}

// wrongMethod is a 405 that says which methods there are.
func wrongMethod(method string) *fault {
	allow := method
	if method == http.MethodGet {
		allow = "GET, HEAD"
	}
	return &fault{status: http.StatusMethodNotAllowed, code: codeMethod, allow: allow,
		message: "this endpoint takes " + strings.ReplaceAll(allow, ", ", " and ") + " only"}
}

// refuse always answers with f.
func refuse(f *fault) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { f.write(w) })
}

// answering makes a handler of an answer. The request's context ends with the
// query timeout.
func (s *Server) answering(label string, a answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), s.cfg.QueryTimeout)
		defer cancel()
		body, err := a(w, r.WithContext(ctx))
		if err != nil {
			faultOf(ctx, s.log, label, err).write(w)
			return
		}
		writeJSON(w, http.StatusOK, body)
	})
}
