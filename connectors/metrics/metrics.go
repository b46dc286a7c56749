// Package metrics shows what the engine does to Prometheus: the pipeline's
// counters, read when somebody scrapes, the API's request times, and the Go
// runtime and the process. docs/metrics.md lists every metric.
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// A scrape costs one copy of the counters; these bounds only keep a broken
// scraper from piling up requests.
const (
	scrapeTimeout = 10 * time.Second
	maxScrapes    = 4
)

// RequestBuckets are the upper bounds, in seconds, of the request times: a
// document from memory takes well under a millisecond, one for another instant
// reads every customer.
var RequestBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// Metrics is one process's registry. It shares nothing with the client
// library's global one, so that two engines in one process do not clash. It
// serves many goroutines.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	forwards *prometheus.CounterVec
}

// New registers everything. It calls stats once a scrape, from any goroutine;
// the copy that stats returns, its map and its slice, must not change afterwards.
func New(stats func() pipeline.Stats) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "dangol_http_request_seconds",
			Help:    "Time to answer a request to the API, by route and status code; code 499: the client went away first.",
			Buckets: RequestBuckets,
		}, []string{"route", "code"}),
		forwards: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dangol_http_forwarded_requests_total",
			Help: "Requests to other instances for customers that this one does not have, by what came of them.",
		}, []string{"outcome"}),
	}
	m.registry.MustRegister(
		newPipelineCollector(stats),
		m.requests,
		m.forwards,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Register adds another room's collector, such as the Kafka client's. The
// error is the client library's: a name that is taken, or no descriptors.
func (m *Metrics) Register(c prometheus.Collector) error { return m.registry.Register(c) }

// ObserveRequest counts one answered request to the API. route is a pattern
// from a fixed list, never a path as it came: every value is a series.
func (m *Metrics) ObserveRequest(route string, code int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(code)).Observe(took.Seconds())
}

// ObserveForward counts one request to another instance. outcome is one of a
// fixed list: every value is a series.
func (m *Metrics) ObserveForward(outcome string) { m.forwards.WithLabelValues(outcome).Inc() }

// Handler answers scrapes. A collector that fails leaves its metrics out and
// is counted in promhttp_metric_handler_errors_total; the rest is served.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		Registry:            m.registry,
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
		Timeout:             scrapeTimeout,
	})
}
