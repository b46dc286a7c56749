package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// offerCounter adds up, over the orders that were judged, how well an offer list
// foretold each: a number from 0 to 1. Over the number of orders it is the mean.
type offerCounter struct {
	name, help string
	value      func(*pipeline.Judged) float64
}

var offerCounters = []offerCounter{
	{"dangol_nextbest_recall_orders_total", "Orders judged, each counted by the share of its items that was in the list of ten made before it.",
		func(j *pipeline.Judged) float64 { return j.Recall }},
	{"dangol_nextbest_ndcg_orders_total", "Orders judged, each counted by its NDCG at ten: as recall, but first places count more.",
		func(j *pipeline.Judged) float64 { return j.NDCG }},
	{"dangol_nextbest_hit_orders_total", "Orders judged of which an item was in the list of ten made before them.",
		func(j *pipeline.Judged) float64 { return j.Hit }},
}

func (c *pipelineCollector) describeOffers() {
	c.orders = prometheus.NewDesc("dangol_nextbest_judged_orders_total",
		"Orders that offer lists made before them were judged by, by the part of their items that is looked at: those without such an item do not count.",
		[]string{"part"}, nil)
	for _, o := range offerCounters {
		c.offers = append(c.offers, prometheus.NewDesc(o.name, o.help, []string{"by", "part"}, nil))
	}
}

// collectOffers sends every way to offer and every part from the start, so that
// a rate is 0 and not absent before the first order is judged.
func (c *pipelineCollector) collectOffers(ch chan<- prometheus.Metric, st *pipeline.Stats) {
	for _, j := range st.Judged() {
		if j.By == ours { // the orders are the same for all
			ch <- prometheus.MustNewConstMetric(c.orders, counter, j.Orders, j.Part)
		}
		for i, o := range offerCounters {
			ch <- prometheus.MustNewConstMetric(c.offers[i], counter, o.value(&j), j.By, j.Part)
		}
	}
}
