package bench

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

const (
	dayMS  = 86_400_000
	opened = int64(1_700_000_000_000)
)

var rules = ledger.Rules{Lateness: dayMS, Calendar: ledger.NewCalendar(time.UTC)}

// buyer is a customer who orders at exponential gaps of its own rate, may leave
// after each order, and fills a cart before some of them.
func buyer(i int, until int64) *ledger.Ledger {
	rng := rand.New(rand.NewPCG(1, uint64(i)))
	l := &ledger.Ledger{}
	rate, leave := 1/(10+80*rng.ExpFloat64()), 0.3*rng.Float64()
	item := []event.Item{{ID: strconv.Itoa(rng.IntN(500)), Quantity: event.One}}
	at := opened + int64(rng.Float64()*500*dayMS)
	for n := 0; at < until; n++ {
		l.Apply(&event.Event{
			Type: event.OrderCompleted, OrderID: strconv.Itoa(i) + "/" + strconv.Itoa(n), Time: at, HasAmount: true,
			Amount: event.MicroOf(math.Round(4000*rng.ExpFloat64())/100 + 1), Items: item, Channel: "app",
		}, &rules)
		gap := int64(rng.ExpFloat64() / rate * dayMS)
		if gap > 8*dayMS && rng.Float64() < 0.8 && at+gap-8*dayMS < until {
			l.Apply(&event.Event{Type: event.ProductAdded, Time: at + gap - 8*dayMS, Items: item}, &rules)
		}
		if at += max(gap, dayMS); rng.Float64() < leave {
			break
		}
	}
	return l
}

// taught is what n customers teach by 600 days after the opening.
func taught(cfg *score.Config, ls []*ledger.Ledger) *score.Learned {
	n := score.NewLearner(cfg, &rules, opened+600*dayMS)
	for i, l := range ls {
		n.Add(score.HashOf(strconv.Itoa(i)), l)
	}
	return n.Learn(score.BuiltIn(cfg.HorizonDays))
}

func buyers(n int) []*ledger.Ledger {
	ls := make([]*ledger.Ledger, n)
	for i := range ls {
		ls[i] = buyer(i, opened+600*dayMS)
	}
	return ls
}

// BenchmarkFit is everything that is learned, from 100,000 sampled customers'
// facts, on one core, from the built-in parameters.
func BenchmarkFit(b *testing.B) {
	cfg := score.DefaultConfig()
	ls := buyers(100_000)
	for b.Loop() {
		l := taught(&cfg, ls)
		require.NotZero(b, l.Labels, "%v", l.Refused)
	}
}

// BenchmarkScore is the whole document of a customer with five orders, whose
// ledger is decoded: by the rhythm alone, and learned.
func BenchmarkScore(b *testing.B) {
	cfg := score.DefaultConfig()
	five := &ledger.Ledger{}
	for _, at := range []int64{0, 12, 47, 61, 96} { // days
		five.Apply(&event.Event{
			Type: event.OrderCompleted, OrderID: strconv.FormatInt(at, 10), Time: opened + at*dayMS, HasAmount: true,
			Amount: 20 * event.One, Items: []event.Item{{ID: "a", Quantity: event.One}, {ID: "b", Quantity: event.One}}, Channel: "app",
		}, &rules)
	}
	for _, c := range []struct {
		name    string
		learned *score.Learned
	}{{"rhythm", score.BuiltIn(cfg.HorizonDays)}, {"learned", taught(&cfg, buyers(3_000))}} {
		b.Run(c.name, func(b *testing.B) {
			require.Equal(b, c.name == "learned", c.learned.Labels > 0, "%v", c.learned.Refused)
			maker, models := score.NewScorer(cfg, rules, nil), score.MustModels(&cfg, c.learned)
			var doc score.Scores
			for b.Loop() {
				maker.Compute("c-42", five, models, opened+130*dayMS, &doc)
			}
		})
	}
}
