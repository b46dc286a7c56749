package quality

import (
	"cmp"
	"math"
	"slices"

	"github.com/dangol-dev/dangol/engine/churn"
)

// Case is one buyer: what was foretold at the cut, and what came within the
// horizon.
type Case struct {
	Probability    float64 // of leaving
	Orders, Value  float64 // foretold purchase days and money
	Rivals         []Rival // the same of each baseline, in one order
	Segment, Stage string

	Ordered float64 // purchase days that came
	Spent   float64 // money that came
}

// Rival is what a baseline foretold.
type Rival struct {
	Name          string
	RankOnly      bool
	Probability   float64 // NaN: it foretells none
	Orders, Value float64 // NaN: it foretells none
}

// Judge fills the report's Churn, Orders, Value, Segments and Stages, and what
// Data says of buyers, from the cases.
func (r *Report) Judge(cases []Case) {
	r.Data.Buyers, r.Data.Churned = len(cases), 0
	for i := range cases {
		if cases[i].Ordered == 0 {
			r.Data.Churned++
		}
	}
	if len(cases) == 0 {
		return
	}
	r.Data.BaseRate = float64(r.Data.Churned) / float64(len(cases))
	r.Churn = []Judged{judgeBy("dangol", false, cases, func(c *Case) float64 { return c.Probability })}
	r.Orders.Models = []Forecast{forecast("dangol", cases, func(c *Case) (float64, float64) { return c.Orders, c.Ordered })}
	r.Value.Models = []Forecast{forecast("dangol", cases, func(c *Case) (float64, float64) { return c.Value, c.Spent })}
	for k, v := range cases[0].Rivals {
		if !math.IsNaN(v.Probability) {
			p := func(c *Case) float64 { return c.Rivals[k].Probability }
			j := judgeBy(v.Name, v.RankOnly, cases, p)
			j.Lead = leadOver(cases, p)
			r.Churn = append(r.Churn, j)
		}
		if !math.IsNaN(v.Orders) {
			r.Orders.Models = append(r.Orders.Models, forecast(v.Name, cases, func(c *Case) (float64, float64) { return c.Rivals[k].Orders, c.Ordered }))
			r.Value.Models = append(r.Value.Models, forecast(v.Name, cases, func(c *Case) (float64, float64) { return c.Rivals[k].Value, c.Spent }))
		}
	}
	r.Orders.ByDecile = tenths(cases, func(c *Case) (float64, float64) { return c.Orders, c.Ordered })
	r.Value.ByDecile = tenths(cases, func(c *Case) (float64, float64) { return c.Value, c.Spent })
	r.Segments = groups(cases, func(c *Case) string { return c.Segment })
	r.Stages = groups(cases, func(c *Case) string { return c.Stage })
}

func judgeBy(name string, rankOnly bool, cases []Case, p func(*Case) float64) Judged {
	outcomes := make([]churn.Outcome, len(cases))
	for i := range cases {
		outcomes[i] = churn.Outcome{P: p(&cases[i]), Churned: cases[i].Ordered == 0}
	}
	q := churn.Judge(outcomes)
	j := Judged{
		Name: name, RankOnly: rankOnly, N: q.N, Base: q.Base, AUC: q.AUC, Brier: q.Brier, LogLoss: q.LogLoss, ECE: q.ECE,
		Lift: q.Lift, Captured: q.Caught,
	}
	for i, b := range q.Deciles {
		j.Deciles[i] = Bin{N: b.N, Mean: b.Mean, Rate: b.Rate, Low: b.Low, High: b.High}
	}
	return j
}

// leadOver is dangol's lead over a baseline, among those whom both scored.
func leadOver(cases []Case, baseline func(*Case) float64) *Lead {
	customers := make([]scored, 0, len(cases))
	for i := range cases {
		c := &cases[i]
		if a, b := c.Probability, baseline(c); !math.IsNaN(a) && !math.IsNaN(b) {
			customers = append(customers, scored{min(max(a, 0), 1), min(max(b, 0), 1), c.Ordered == 0}) // as churn.Judge takes them
		}
	}
	return delong(customers)
}

func forecast(name string, cases []Case, f func(*Case) (foretold, came float64)) Forecast {
	out, n := Forecast{Name: name}, float64(len(cases))
	for i := range cases {
		foretold, came := f(&cases[i])
		out.MeanPredicted += foretold / n
		out.MeanActual += came / n
		out.MAE += math.Abs(foretold-came) / n
		out.RMSE += (foretold - came) * (foretold - came) / n
	}
	out.RMSE = math.Sqrt(out.RMSE)
	return out
}

func tenths(cases []Case, f func(*Case) (foretold, came float64)) (out [10]Pair) {
	sorted := make([]Pair, len(cases))
	for i := range cases {
		sorted[i].Predicted, sorted[i].Actual = f(&cases[i])
	}
	slices.SortStableFunc(sorted, func(a, b Pair) int { return cmp.Compare(b.Predicted, a.Predicted) })
	for d := range out {
		from, to := d*len(sorted)/10, (d+1)*len(sorted)/10
		for _, p := range sorted[from:to] {
			out[d].Predicted += p.Predicted / float64(to-from)
			out[d].Actual += p.Actual / float64(to-from)
		}
	}
	return out
}

// groups are the cases by a name, the largest first.
func groups(cases []Case, name func(*Case) string) []Group {
	at := map[string]int{}
	var out []Group
	for i := range cases {
		c := &cases[i]
		k, ok := at[name(c)]
		if !ok {
			k = len(out)
			at[name(c)] = k
			out = append(out, Group{Name: name(c)})
		}
		g := &out[k]
		g.Customers++
		g.PredictedChurn += c.Probability
		if c.Ordered == 0 {
			g.ActualChurn++
		}
	}
	for i := range out {
		out[i].PredictedChurn /= float64(out[i].Customers)
		out[i].ActualChurn /= float64(out[i].Customers)
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Customers, a.Customers), cmp.Compare(a.Name, b.Name))
	})
	return out
}
