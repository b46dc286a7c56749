package metrics

import "github.com/prometheus/client_golang/prometheus"

// Repartition is a copy of the counters of the stage before the pipeline, which
// keys the input by customer.
type Repartition struct {
	Records  uint64 // passed on, and committed
	Commits  uint64 // transactions
	Sessions uint64 // opened; each beyond the first followed an error
	Lag      int64  // records that are not passed on yet
}

// passed is one number of the stage's counters.
type passed struct {
	name, help string
	kind       prometheus.ValueType
	value      func(*Repartition) float64
}

var passedFigures = []passed{
	{"dangol_repartition_records_total", "Records passed on by the repartition stage.", counter,
		func(r *Repartition) float64 { return float64(r.Records) }},
	{"dangol_repartition_commits_total", "Transactions that the repartition stage committed.", counter,
		func(r *Repartition) float64 { return float64(r.Commits) }},
	{"dangol_repartition_sessions_total", "Kafka sessions that the repartition stage opened; each beyond the first followed an error.", counter,
		func(r *Repartition) float64 { return float64(r.Sessions) }},
	{"dangol_repartition_lag_records", "Records of this process's partitions of the input that the repartition stage has not passed on yet.", gauge,
		func(r *Repartition) float64 { return float64(r.Lag) }},
}

type repartitionCollector struct {
	stats func() Repartition
	descs []*prometheus.Desc // as passedFigures
}

// NewRepartition shows the stage of a process that has one. It calls stats once
// a scrape, from any goroutine.
func NewRepartition(stats func() Repartition) prometheus.Collector {
	c := &repartitionCollector{stats: stats}
	for _, f := range passedFigures {
		c.descs = append(c.descs, prometheus.NewDesc(f.name, f.help, nil, nil))
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *repartitionCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *repartitionCollector) Collect(ch chan<- prometheus.Metric) {
	st := c.stats()
	for i, f := range passedFigures {
		ch <- prometheus.MustNewConstMetric(c.descs[i], f.kind, f.value(&st))
	}
}
