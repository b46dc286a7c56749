package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

// fakeQuery knows the customers and items it is given. hook, if any, runs
// first in each query and may block or fail.
type fakeQuery struct {
	known map[string]bool
	hook  func(ctx context.Context, id string) error
	ready error

	targets []score.Target // of every audience; nil: one

	mu    sync.Mutex
	asked []string
}

func (q *fakeQuery) ask(ctx context.Context, id, call string) error {
	q.mu.Lock()
	q.asked = append(q.asked, call)
	q.mu.Unlock()
	if q.hook != nil {
		return q.hook(ctx, id)
	}
	return nil
}

func (q *fakeQuery) Customer(ctx context.Context, id string, asOf int64) (*score.Scores, error) {
	if err := q.ask(ctx, id, fmt.Sprintf("customer %q %d", id, asOf)); err != nil {
		return nil, err
	}
	if !q.known[id] {
		return nil, fmt.Errorf("customer %s: %w", id, pipeline.ErrNotFound)
	}
	return &score.Scores{CustomerID: id, AsOf: asOf}, nil
}

func (q *fakeQuery) Affinities(ctx context.Context, item, kind string, k int) ([]score.Affinity, error) {
	if err := q.ask(ctx, item, fmt.Sprintf("item %q %s %d", item, kind, k)); err != nil {
		return nil, err
	}
	if !q.known[item] {
		return nil, pipeline.ErrNotFound
	}
	return []score.Affinity{{ItemID: "B", Count: 3}}, nil
}

func (q *fakeQuery) Together(ctx context.Context, items []string, kind string, k int) (offers []score.Offer, unknown []string, err error) {
	if err := q.ask(ctx, strings.Join(items, " "), fmt.Sprintf("together %q %s %d", items, kind, k)); err != nil {
		return nil, nil, err
	}
	for _, item := range items {
		if !q.known[item] {
			unknown = append(unknown, item)
		}
	}
	return []score.Offer{{ItemID: "B"}, {ItemID: "C"}}, unknown, nil
}

func (q *fakeQuery) Audience(ctx context.Context, item string, limit int) ([]score.Target, error) {
	if err := q.ask(ctx, item, fmt.Sprintf("audience %q %d", item, limit)); err != nil {
		return nil, err
	}
	if !q.known[item] {
		return nil, pipeline.ErrNotFound
	}
	if q.targets != nil {
		return q.targets[:min(limit, len(q.targets))], nil
	}
	return []score.Target{{CustomerID: "c-1"}}, nil
}

func (q *fakeQuery) Population(ctx context.Context, asOf int64) (*score.Population, error) {
	if err := q.ask(ctx, "", fmt.Sprintf("population %d", asOf)); err != nil {
		return nil, err
	}
	return &score.Population{AsOf: asOf, Customers: 7}, nil
}

func (q *fakeQuery) Models(ctx context.Context) (*score.Learned, error) {
	if err := q.ask(ctx, "", "models"); err != nil {
		return nil, err
	}
	return score.BuiltIn(90), nil
}

func (q *fakeQuery) Ready() error { return q.ready }

// fakeEncoder writes enough to see what was answered.
type fakeEncoder struct{}

func (fakeEncoder) AppendScores(dst []byte, s *score.Scores) []byte {
	dst = appendString(append(dst, `{"customer_id":`...), s.CustomerID)
	return fmt.Appendf(dst, `,"as_of":%d}`, s.AsOf)
}

func (fakeEncoder) AppendPopulation(dst []byte, p *score.Population) []byte {
	return fmt.Appendf(dst, `{"as_of":%d,"customers":%d}`, p.AsOf, p.Customers)
}

func (fakeEncoder) AppendNeighbours(dst []byte, item, kind string, a []score.Affinity) []byte {
	dst = appendString(append(dst, `{"item_id":`...), item)
	return fmt.Appendf(dst, `,"kind":%q,"affinities":%d}`, kind, len(a))
}

func (fakeEncoder) AppendTogether(dst []byte, items, unknown []string, kind string, offers []score.Offer) []byte {
	return fmt.Appendf(dst, `{"items":%q,"unknown":%q,"kind":%q,"affinities":%d}`, items, unknown, kind, len(offers))
}

func (fakeEncoder) AppendAudience(dst []byte, item string, ts []score.Target) []byte {
	dst = appendString(append(dst, `{"item_id":`...), item)
	return fmt.Appendf(dst, `,"audience":%d}`, len(ts))
}

func (fakeEncoder) AppendModels(dst []byte, m *score.Learned) []byte {
	return fmt.Appendf(dst, `{"version":%d}`, m.Version)
}

// seenRequest is what the observer heard.
type seenRequest struct {
	route string
	code  int
}

type fakeObserver struct {
	mu        sync.Mutex
	seen      []seenRequest
	forwarded []string // the outcomes
}

func (o *fakeObserver) ObserveForward(outcome string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forwarded = append(o.forwarded, outcome)
}

// outcomes are those of the forwarded requests since the last call.
func (o *fakeObserver) outcomes() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen := o.forwarded
	o.forwarded = nil
	slices.Sort(seen)
	return seen
}

func (o *fakeObserver) ObserveRequest(route string, code int, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, seenRequest{route, code})
}

func (o *fakeObserver) last(t *testing.T) seenRequest {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	require.NotEmpty(t, o.seen)
	return o.seen[len(o.seen)-1]
}

// rig is a server with fakes on every side.
type rig struct {
	t        *testing.T
	query    *fakeQuery
	observer *fakeObserver
	log      *bytes.Buffer
	server   *Server
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	return newRigOf(t, change, nil)
}

// newRigOf changes the parts, too.
func newRigOf(t *testing.T, change func(*Config), also func(*Parts)) *rig {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Listen = "127.0.0.1:0"
	if change != nil {
		change(&cfg)
	}
	r := &rig{t: t, query: &fakeQuery{known: map[string]bool{}}, observer: &fakeObserver{}, log: &bytes.Buffer{}}
	parts := Parts{
		Query: r.query, Encoder: fakeEncoder{}, Observer: r.observer,
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "metrics_total 1") }),
		Logger:  slog.New(slog.NewTextHandler(r.log, nil)),
	}
	if also != nil {
		also(&parts)
	}
	s, err := New(cfg, parts)
	require.NoError(t, err)
	r.server = s
	return r
}

// do sends one request past the network.
func (r *rig) do(req *http.Request) (int, string, http.Header) {
	r.t.Helper()
	rec := httptest.NewRecorder()
	r.server.Handler().ServeHTTP(rec, req)
	res := rec.Result()
	body, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	return res.StatusCode, strings.TrimSuffix(string(body), "\n"), res.Header
}

func (r *rig) get(path string) (int, string, http.Header) {
	r.t.Helper()
	return r.do(httptest.NewRequest(http.MethodGet, path, nil))
}

// post asks for many customers.
func (r *rig) post(body string) (int, string, http.Header) {
	r.t.Helper()
	return r.postTo("/v1/customers:batchGet", body)
}

func (r *rig) postTo(path, body string) (int, string, http.Header) {
	r.t.Helper()
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	return r.do(req)
}

// errorBody is the JSON of a fault.
func errorBody(code, message string) string {
	b := appendString([]byte(`{"error":{"code":`), code)
	b = appendString(append(b, `,"message":`...), message)
	return string(b) + "}}"
}
