package score

import (
	"math"
	"math/bits"

	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// The features of the churn model, by column. They say in what a customer
// differs from what the rhythm model makes of its gaps; all are closed forms of
// the facts. Stored with the models' weights: never reordered.
//
// Each is constant, or monotone in the silence, or (the behaviour) monotone
// within each calendar week. The search for the next crossing rests on that.
const (
	xOnce       = iota // 1 with a single purchase day
	xSilence           // ln(1 + days since the last order), rising
	xOrders            // ln(purchase days)
	xTenure            // ln(1 + days since the first order), rising
	xOverdue           // −ln of the rhythm's survival of the open gap, rising
	xPercentile        // the overdue percentile, rising
	xUsual             // ln((1+silence)/(1+mean gap)), rising; 0 with one purchase day
	xTrend             // ln((1+last gap)/(1+mean gap))
	xSpend             // ln of the expected spend of a purchase day, over the population's
	xFresh             // ln(1 + purchase days, decayed over half a horizon), falling
	xDecayed           // the same over a horizon, falling
	xSlow              // the same over two horizons, falling
	xVisits            // 1 if seen within the last two weeks, but for weeks with an order
	xVisited           // ln(1 + such weeks among the eleven before)
	xCart              // 1 if the cart was filled within the last two weeks, but for weeks with an order
	xEngaged           // 1 if a message was opened or clicked within the last five weeks
	xComplaint         // 1 while a complaint is open

	numFeatures
)

// featureNames are the columns' names in the models' document.
var featureNames = [numFeatures]string{
	"single_purchase", "silence", "orders", "tenure", "overdue", "overdue_percentile", "silence_to_usual_gap", "trend", "spend",
	"recent_orders_half", "recent_orders", "recent_orders_double", "visits", "visits_before", "cart", "messages", "complaint",
}

// FeatureNames are the names of a churn model's columns.
func FeatureNames() []string { return append([]string(nil), featureNames[:]...) }

// behaviour are a customer's weeks without an order in which something
// happened: bit i is week−i.
type behaviour struct {
	week                     int32
	visited, carted, engaged uint64
	complaint                bool
}

// behaviourWeeks is for how many weeks a bit matters.
const behaviourWeeks = 14

// read takes the behaviour from a ledger; ordered are the weeks with an order,
// as bits like those of the ledger.
func (b *behaviour) read(l *ledger.Ledger, ordered uint64) {
	*b = behaviour{
		week: l.Week, visited: l.Visited &^ ordered, carted: l.Carted &^ ordered, engaged: l.Engaged,
		complaint: l.Count(ledger.Complaint) > l.Count(ledger.Resolved),
	}
}

// The windows of the behaviour's columns end now, and of a week only is known
// that something happened in it. So a week that lies in a window in part counts
// for so much, as if any of its days were as likely: while a week passes, what
// happened before a window fades, and nothing leaps when the next one begins.

// features fills the behaviour's columns as of a calendar week of which the given
// share has passed, and their slopes a day.
func (b *behaviour) features(week int32, share float64, x, slope *[numFeatures]float64) {
	visited := b.since(b.visited, week)
	x[xVisits], slope[xVisits] = touched(visited, 2, share)
	x[xCart], slope[xCart] = touched(b.since(b.carted, week), 2, share)
	x[xEngaged], slope[xEngaged] = touched(b.since(b.engaged, week), 5, share)
	enters, leaves := float64(visited>>2&1), float64(visited>>13&1)
	before := float64(bits.OnesCount64(visited>>3&(1<<10-1))) + share*enters + (1-share)*leaves
	x[xVisited], slope[xVisited] = math.Log1p(before), (enters-leaves)/7/(1+before)
	x[xComplaint] = flag(b.complaint)
}

// since shifts bits to a week not before that of the behaviour.
func (b *behaviour) since(bits uint64, week int32) uint64 { return bits << uint(max(week-b.week, 0)) }

// touched is 1 if a bit lies within so many weeks before now, and its slope a day.
func touched(bits uint64, weeks uint, share float64) (v, slope float64) {
	switch {
	case bits&(1<<weeks-1) != 0:
		return 1, 0
	case bits>>weeks&1 != 0:
		return 1 - share, -1. / 7
	}
	return 0, 0
}

// fades says whether a column moves in the course of a week.
func (b *behaviour) fades(week int32) bool {
	var x, slope [numFeatures]float64
	b.features(week, 0, &x, &slope)
	return slope != [numFeatures]float64{}
}

// shareOf is the share of a week that has passed a number of ms after it began.
// (A week in which the clocks change is an hour longer or shorter.)
func shareOf(ms int64) float64 { return clamp(float64(ms)/(7*rhythm.DayMS), 0, 1) }

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

// moments are what the order-based features are made of: a function of the
// facts alone, not of the models or of time.
type moments struct {
	history rhythm.History
	lastGap float64    // days
	decayed [3]float64 // purchase days decayed over ½, 1 and 2 horizons, at the last order
	spend   float64    // mean of a purchase day, in currency units
	usual   float64    // ln(1 + mean gap); 0 with one purchase day
}

// order notes a purchase day a gap after the one before (0: the first). decay
// is 1 over two horizons.
func (m *moments) order(gap, decay float64) {
	if m.decayed[0] > 0 {
		q := math.Exp(-gap * decay)
		m.decayed[2] *= q
		m.decayed[1] *= q * q
		m.decayed[0] *= q * q * q * q
	}
	for i := range m.decayed {
		m.decayed[i]++
	}
}

// spread notes n purchase days an even gap apart, of which no more is known.
func (m *moments) spread(n int, gap, decay float64) {
	q := math.Exp(-gap * decay)
	for i, p := range [3]float64{q * q * q * q, q * q, q} {
		if p < 1 {
			m.decayed[i] = (1 - math.Pow(p, float64(n))) / (1 - p)
		} else {
			m.decayed[i] = float64(n)
		}
	}
}

// constant fills the columns that neither time nor a week changes.
func (m *moments) constant(f *Fitted, x *[numFeatures]float64) {
	n := m.history.Repeats + 1
	x[xOnce] = flag(n == 1)
	x[xOrders] = math.Log(float64(n))
	if n > 1 {
		x[xTrend] = math.Log((1 + m.lastGap) / (1 + m.mean()))
	}
	if e := f.expectedSpend(n, m.spend); e > 0 && f.MeanSpend > 0 {
		x[xSpend] = math.Log(e / f.MeanSpend)
	}
}

// mean is the mean gap; with one purchase day there is none.
func (m *moments) mean() float64 { return m.history.Sum / float64(m.history.Repeats) }

// moving fills the columns that move with the silence, and their slopes. decay
// is 1 over two horizons.
func (m *moments) moving(now *rhythm.Point, decay float64, x, slope *[numFeatures]float64) {
	e, s, density := now.Gap, now.Survival, now.Density
	// Log and not Log1p, which takes three times as long: 1e-16 is near enough.
	x[xSilence], slope[xSilence] = math.Log(1+e), 1/(1+e)
	x[xTenure], slope[xTenure] = math.Log(1+m.history.Sum+e), 1/(1+m.history.Sum+e)
	overdue, steep := float64(farOverdue), 0.0
	if s > leastSurvival {
		overdue, steep = -math.Log(s), density/s
	}
	x[xOverdue], slope[xOverdue] = overdue, steep
	x[xPercentile], slope[xPercentile] = 1-s, density
	if m.history.Repeats > 0 {
		x[xUsual], slope[xUsual] = x[xSilence]-m.usual, slope[xSilence]
	}
	q := math.Exp(-e * decay)
	for i, p := range [3]float64{q * q * q * q, q * q, q} {
		d := m.decayed[i] * p
		x[xFresh+i], slope[xFresh+i] = math.Log(1+d), -d/(1+d)*decay*float64(int(4)>>i)
	}
}

// leastSurvival is the survival below which xOverdue stays at farOverdue.
const (
	leastSurvival = 1e-30
	farOverdue    = 69.07755278982137 // −ln of it
)

// featureTexts say what each column is, for reports.
var featureTexts = [numFeatures]string{
	xOnce:       "a single purchase day so far",
	xSilence:    "days since the last order",
	xOrders:     "purchase days so far",
	xTenure:     "days since the first order",
	xOverdue:    "how overdue by the customer's own rhythm",
	xPercentile: "the overdue percentile",
	xUsual:      "silence against the usual gap",
	xTrend:      "last gap against the usual one",
	xSpend:      "expected spend of a purchase day",
	xFresh:      "purchase days of late (half a horizon)",
	xDecayed:    "purchase days of late (a horizon)",
	xSlow:       "purchase days of late (two horizons)",
	xVisits:     "seen within the last two weeks, orders aside",
	xVisited:    "weeks seen in the eleven before",
	xCart:       "cart filled within the last two weeks",
	xEngaged:    "message opened within the last five weeks",
	xComplaint:  "a complaint is open",
}

// FeatureText says what a column of a churn model is.
func FeatureText(i int) string { return featureTexts[i] }
