package metrics

import (
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// scalar is one number of the pipeline's counters.
type scalar struct {
	name, help string
	kind       prometheus.ValueType
	value      func(*pipeline.Stats) float64
}

var scalars = []scalar{
	{"dangol_pipeline_events_total", "Events applied to the facts, duplicates included.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.Events) }},
	{"dangol_pipeline_duplicate_events_total", "Events that changed no fact.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.Duplicates) }},
	{"dangol_pipeline_late_events_total", "Events behind the watermark by more than the allowed lateness.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.Late) }},
	{"dangol_pipeline_timers_total", "Timers fired: scores looked at because time had passed.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.Timers) }},
	{"dangol_pipeline_changes_total", "Changes emitted.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.Changes) }},
	{"dangol_pipeline_unkeyed_records_total", "Records whose key is not the customer id.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.Unkeyed) }},
	{"dangol_pipeline_input_bytes_total", "Bytes of input records' values.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.InputBytes) }},

	{"dangol_pipeline_commits_total", "Transactions committed.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.Commits) }},
	{"dangol_pipeline_aborts_total", "Transactions aborted; their records are read again.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.Aborts) }},
	{"dangol_pipeline_sessions_total", "Kafka sessions opened; each beyond the first followed an error.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.Sessions) }},
	{"dangol_pipeline_commit_seconds_total", "Time spent in commits.", counter,
		func(s *pipeline.Stats) float64 { return s.CommitSeconds }},
	{"dangol_pipeline_last_commit_seconds", "Time that the latest commit took.", gauge,
		func(s *pipeline.Stats) float64 { return s.LastCommit }},
	{"dangol_pipeline_recoveries_total", "Recoveries of the state.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.Recoveries) }},
	{"dangol_pipeline_recovered_records_total", "Changelog records replayed in recoveries.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.RecoveredRecs) }},
	{"dangol_pipeline_last_recovery_seconds", "Time that the latest recovery took.", gauge,
		func(s *pipeline.Stats) float64 { return s.RecoverySecs }},

	{"dangol_models_fit_seconds", "Time that the latest fit of the models took.", gauge,
		func(s *pipeline.Stats) float64 { return s.Fits.Seconds }},
	{"dangol_models_fit_failures_total", "Fits that could not read the state; they are made again.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.Fits.Failed) }},

	{"dangol_state_customers", "Customers known.", gauge,
		func(s *pipeline.Stats) float64 { return float64(s.Customers) }},
	{"dangol_state_buyers", "Customers with an order.", gauge,
		func(s *pipeline.Stats) float64 { return float64(s.Buyers) }},
	{"dangol_state_items", "Items in the co-occurrence counts.", gauge,
		func(s *pipeline.Stats) float64 { return float64(s.Items) }},
	{"dangol_state_pairs", "Pairs of items in the co-occurrence counts.", gauge,
		func(s *pipeline.Stats) float64 { return float64(s.Pairs) }},
	{"dangol_basket_triples", "Triples of items in the co-occurrence counts.", gauge,
		func(s *pipeline.Stats) float64 { return float64(s.Triples) }},
	{"dangol_basket_giant_baskets", "Baskets in the co-occurrence counts of 64 items or more, of which 64 count.", gauge,
		func(s *pipeline.Stats) float64 { return float64(s.GiantBaskets) }},
	{"dangol_basket_dropped_total", "Pairs and triples that were let go for want of room.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.Dropped) }},
	{"dangol_basket_item_collisions_total", "Items met that are not told from another, whose hash is the same.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.ItemCollisions) }},
	{"dangol_basket_bytes", "Memory of the co-occurrence counts, about.", gauge,
		func(s *pipeline.Stats) float64 { return float64(s.CountsBytes) }},
	{"dangol_state_hot_bytes", "Memory of the decoded customers held ready.", gauge,
		func(s *pipeline.Stats) float64 { return float64(s.HotBytes) }},
	{"dangol_state_disk_bytes", "Size of the state on disk.", gauge,
		func(s *pipeline.Stats) float64 { return float64(s.StateBytes) }},
	{"dangol_state_hot_hits_total", "Customers found decoded in memory.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.HotHits) }},
	{"dangol_state_hot_misses_total", "Customers that had to be read from the store.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.HotMisses) }},
}

// partitionGauge is one number of a partition's position.
type partitionGauge struct {
	name, help string
	value      func(*pipeline.PartitionStats) float64
}

var partitionGauges = []partitionGauge{
	{"dangol_pipeline_next_offset", "Offset of the next record to read.",
		func(p *pipeline.PartitionStats) float64 { return float64(p.NextOffset) }},
	{"dangol_pipeline_lag_records", "Records between the committed offset and the end of the partition.",
		func(p *pipeline.PartitionStats) float64 { return float64(p.Lag) }},
	{"dangol_pipeline_lag_seconds", "Age of the newest committed record while others wait behind it; 0 at the end of the partition.",
		func(p *pipeline.PartitionStats) float64 { return p.LagSeconds }},
	{"dangol_pipeline_watermark_timestamp_seconds", "Watermark: events older than this are late. Seconds since 1970.",
		func(p *pipeline.PartitionStats) float64 { return float64(p.Watermark) / 1000 }},
	{"dangol_pipeline_clock_timestamp_seconds", "Clock by which timers fire and scores are computed. Seconds since 1970.",
		func(p *pipeline.PartitionStats) float64 { return float64(p.Clock) / 1000 }},
}

// pipelineCollector turns one copy of the counters into metrics, so that all
// figures of a scrape are of one instant, and the loop that counts pays nothing.
type pipelineCollector struct {
	stats      func() pipeline.Stats
	scalars    []*prometheus.Desc // as scalars
	partitions []*prometheus.Desc // as partitionGauges
	models     []*prometheus.Desc // as modelGauges
	judged     []*prometheus.Desc // as judgedGauges
	calibrated *prometheus.Desc
	rhythm     *prometheus.Desc
	orders     *prometheus.Desc   // judged, by part
	offers     []*prometheus.Desc // as offerCounters
	rejects    *prometheus.Desc
	latency    *prometheus.Desc
}

func newPipelineCollector(stats func() pipeline.Stats) *pipelineCollector {
	c := &pipelineCollector{
		stats: stats,
		rejects: prometheus.NewDesc("dangol_pipeline_rejects_total",
			"Records that became dead letters, by reason.", []string{"reason"}, nil),
		latency: prometheus.NewDesc("dangol_pipeline_latency_seconds",
			"Time from an event's Kafka timestamp to the commit of what it caused.", nil, nil),
	}
	c.describeModels()
	c.describeOffers()
	for _, s := range slices.Concat(scalars, sharedScalars) {
		c.scalars = append(c.scalars, prometheus.NewDesc(s.name, s.help, nil, nil))
	}
	for _, p := range partitionGauges {
		c.partitions = append(c.partitions, prometheus.NewDesc(p.name, p.help, []string{"partition"}, nil))
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *pipelineCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.scalars {
		ch <- d
	}
	for _, d := range c.partitions {
		ch <- d
	}
	describeInstance(ch)
	for _, ds := range [][]*prometheus.Desc{c.models, c.judged, c.offers, {c.calibrated, c.rhythm, c.orders, c.rejects, c.latency}} {
		for _, d := range ds {
			ch <- d
		}
	}
}

// Collect implements prometheus.Collector.
func (c *pipelineCollector) Collect(ch chan<- prometheus.Metric) {
	st := c.stats()
	for i, s := range slices.Concat(scalars, sharedScalars) {
		ch <- prometheus.MustNewConstMetric(c.scalars[i], s.kind, s.value(&st))
	}
	for i := range st.Partitions {
		p := &st.Partitions[i]
		label := strconv.FormatInt(int64(p.Partition), 10)
		for j, g := range partitionGauges {
			ch <- prometheus.MustNewConstMetric(c.partitions[j], gauge, g.value(p), label)
		}
	}
	collectInstance(ch, &st)
	c.collectModels(ch, st.Learned)
	c.collectOffers(ch, &st)
	c.collectRejects(ch, st.Rejects)
	ch <- c.latencyOf(&st)
}

// collectRejects sends every known reason, so that a rate over a reason is 0
// and not absent before its first record, and any other that was counted.
func (c *pipelineCollector) collectRejects(ch chan<- prometheus.Metric, counts map[event.Reason]uint64) {
	known := make(map[event.Reason]bool, len(counts))
	for _, r := range event.Reasons() {
		known[r] = true
		ch <- prometheus.MustNewConstMetric(c.rejects, counter, float64(counts[r]), string(r))
	}
	for r, n := range counts {
		if !known[r] {
			ch <- prometheus.MustNewConstMetric(c.rejects, counter, float64(n), string(r))
		}
	}
}

// latencyOf makes the histogram: Prometheus counts from below, Stats a bucket.
func (c *pipelineCollector) latencyOf(st *pipeline.Stats) prometheus.Metric {
	var total uint64
	buckets := make(map[float64]uint64, len(pipeline.LatencyBuckets))
	for i, n := range st.Latency {
		total += n
		if i < len(pipeline.LatencyBuckets) {
			buckets[pipeline.LatencyBuckets[i]] = total
		}
	}
	return prometheus.MustNewConstHistogram(c.latency, total, st.LatencySum, buckets)
}
