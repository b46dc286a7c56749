package metrics

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// sample is a registry in which every metric has a series.
func sample() *Metrics {
	m := New(func() pipeline.Stats {
		return pipeline.Stats{Events: 42, Partitions: make([]pipeline.PartitionStats, 1), Learned: learned()}
	})
	m.registry.MustRegister(NewRepartition(func() Repartition { return Repartition{Lag: 1} }))
	m.ObserveRequest("/v1/customers/{id}", http.StatusOK, 3*time.Millisecond)
	m.ObserveForward("found")
	return m
}

// scrape returns what a Prometheus server would read.
func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	srv := httptest.NewServer(m.Handler())
	defer srv.Close()
	res, err := srv.Client().Get(srv.URL)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, string(body))
	return string(body)
}

func TestHandler(t *testing.T) {
	text := scrape(t, sample())
	require.Contains(t, text, "\ndangol_pipeline_events_total 42\n")
	require.Contains(t, text, `dangol_http_request_seconds_bucket{code="200",route="/v1/customers/{id}",le="0.005"} 1`)
	require.Contains(t, text, `dangol_http_request_seconds_bucket{code="200",route="/v1/customers/{id}",le="0.0025"} 0`)
	require.Contains(t, text, `dangol_http_forwarded_requests_total{outcome="found"} 1`)
	require.Contains(t, text, "\ngo_goroutines ")
	require.Contains(t, text, "\nprocess_")
}

func TestOwnNamesLint(t *testing.T) {
	m := sample()
	families, err := m.registry.Gather()
	require.NoError(t, err)
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	require.NoError(t, err)
	for _, p := range problems {
		require.False(t, strings.HasPrefix(p.Metric, "dangol_"), "%s: %s", p.Metric, p.Text)
	}
}

// Two engines in one process each have their own registry.
func TestTwoRegistries(t *testing.T) {
	a, b := sample(), sample()
	extra := prometheus.NewCounter(prometheus.CounterOpts{Name: "dangol_test_things_total", Help: "Things."})
	require.NoError(t, a.Register(extra))
	require.Error(t, a.Register(extra), "a name that is taken")
	require.Contains(t, scrape(t, a), "dangol_test_things_total 0")
	require.NotContains(t, scrape(t, b), "dangol_test_things_total")
}

var (
	typeLine = regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`)
	docLine  = regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)`[^|]*\\| ([a-z]+) \\|")
)

// docs/metrics.md names every metric with its type, and no dangol metric that
// does not exist.
func TestDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/metrics.md")
	require.NoError(t, err)
	documented := map[string]string{}
	for _, m := range docLine.FindAllStringSubmatch(string(doc), -1) {
		require.NotContains(t, documented, m[1], "listed twice")
		documented[m[1]] = m[2]
	}
	exported := map[string]string{}
	for _, m := range typeLine.FindAllStringSubmatch(scrape(t, sample()), -1) {
		exported[m[1]] = m[2]
		require.Equal(t, m[2], documented[m[1]], "docs/metrics.md: %s", m[1])
	}
	for name := range documented {
		if strings.HasPrefix(name, "dangol_") {
			require.Contains(t, exported, name, "docs/metrics.md names a metric that is not exported")
		}
	}
}
