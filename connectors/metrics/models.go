package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dangol-dev/dangol/engine/score"
)

// modelGauge is one number of what was learned.
type modelGauge struct {
	name, help string
	value      func(*score.Learned) float64
}

var modelGauges = []modelGauge{
	{"dangol_models_version", "Version of the models in force; 1: the built-in ones.",
		func(l *score.Learned) float64 { return float64(l.Version) }},
	{"dangol_models_as_of_seconds", "Instant up to which facts went into the models; 0: built in. Seconds since 1970.",
		func(l *score.Learned) float64 { return float64(l.At) / 1000 }},
	{"dangol_models_labels", "Labels that the churn model was learned from, those of open horizons among them; 0: the rhythm answers alone.",
		func(l *score.Learned) float64 { return float64(l.Labels) }},
	{"dangol_models_sample", "Customers that the models were learned from.",
		func(l *score.Learned) float64 { return float64(l.Customers) }},
	{"dangol_models_refused", "Fits that were refused when the models were learned; what was learned before stands, but for churn the rhythm answers.",
		func(l *score.Learned) float64 { return float64(len(l.Refused)) }},
	{"dangol_churn_judged_labels", "Labels resolved since that dangol's churn probabilities were judged by; 0: none yet.",
		func(l *score.Learned) float64 {
			if q := judged(l, ours); q != nil {
				return float64(q.N)
			}
			return 0
		}},
}

// judgedGauge is one number of how well a way to foretell churn did.
type judgedGauge struct {
	name, help string
	value      func(*score.Quality) float64
}

var judgedGauges = []judgedGauge{
	{"dangol_churn_auc", "Chance that one who churned had been given a higher probability than one who stayed; 0.5: a coin.",
		func(q *score.Quality) float64 { return q.AUC }},
	{"dangol_churn_brier", "Mean squared error of the churn probabilities.",
		func(q *score.Quality) float64 { return q.Brier }},
	{"dangol_churn_log_loss", "Mean log-loss of the churn probabilities, in nats.",
		func(q *score.Quality) float64 { return q.LogLoss }},
	{"dangol_churn_calibration_error", "Mean distance between predicted and actual churn over the deciles of probability.",
		func(q *score.Quality) float64 { return q.ECE }},
}

// ours is the name under which the engine's own probabilities are judged.
const ours = "dangol"

func judged(l *score.Learned, name string) *score.Quality {
	for i := range l.Judged {
		if l.Judged[i].Name == name {
			return &l.Judged[i]
		}
	}
	return nil
}

func (c *pipelineCollector) describeModels() {
	for _, m := range modelGauges {
		c.models = append(c.models, prometheus.NewDesc(m.name, m.help, nil, nil))
	}
	for _, j := range judgedGauges {
		c.judged = append(c.judged, prometheus.NewDesc(j.name, j.help, []string{"model"}, nil))
	}
	c.calibrated = prometheus.NewDesc("dangol_churn_calibration",
		"Share that churned (actual) and mean probability given (predicted), by decile of dangol's probability.", []string{"decile", "kind"}, nil)
	c.rhythm = prometheus.NewDesc("dangol_rhythm_parameter",
		"Parameters of the population's rhythm: pace r and alpha_days, leaving a and b.", []string{"name"}, nil)
}

// collectModels sends what was learned, and how it did where labels have
// resolved since: a figure that nobody knows is absent and not 0.
func (c *pipelineCollector) collectModels(ch chan<- prometheus.Metric, l *score.Learned) {
	if l == nil {
		return
	}
	send := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, gauge, v, labels...)
	}
	for i, m := range modelGauges {
		send(c.models[i], m.value(l))
	}
	for i := range l.Judged {
		q := &l.Judged[i]
		for j, g := range judgedGauges {
			send(c.judged[j], g.value(q), q.Name)
		}
	}
	if q := judged(l, ours); q != nil {
		for i := range q.Deciles {
			if b := &q.Deciles[i]; b.N > 0 {
				decile := strconv.Itoa(i + 1)
				send(c.calibrated, b.Mean, decile, "predicted")
				send(c.calibrated, b.Rate, decile, "actual")
			}
		}
	}
	p := &l.Rhythm
	for _, x := range []struct {
		name  string
		value float64
	}{{"r", p.R}, {"alpha_days", p.Alpha}, {"a", p.A}, {"b", p.B}} {
		send(c.rhythm, x.value, x.name)
	}
}
