package score

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
)

// simulator draws customers of a shop that does not change: they come at an even
// pace, order at Gamma gaps of their own rate and regularity, may leave after
// each order, and sooner if they have complained. Who is about to order is often
// seen before, and who has left seldom.
type simulator struct {
	seed    uint64
	days    int  // that the shop is observed
	browses bool // events besides orders
	cost    bool // the lines say what they cost
}

// customer draws the i-th one's events, ascending.
func (s *simulator) customer(i int) []event.Event {
	rng := rand.New(rand.NewPCG(s.seed, uint64(i)))
	name := strconv.Itoa(i)
	var evs []event.Event
	add := func(at float64, ev event.Event) {
		if at < 0 || at >= float64(s.days) {
			return
		}
		ev.ID, ev.CustomerID = name+"-"+strconv.Itoa(len(evs)), name
		ev.Time = epoch + int64(at*day)
		evs = append(evs, ev)
	}
	k := float64([]int{1, 1, 2, 4}[rng.IntN(4)])
	gap := 45 / drawGamma(rng, 2, 2)
	spend := 20 * drawGamma(rng, 4, 4)
	leave := 0.02 + 0.3*rng.Float64()*rng.Float64()
	at := float64(s.days) * rng.Float64()
	for at < float64(s.days) {
		amount := event.MicroOf(math.Round(spend*drawGamma(rng, 3, 3)*100) / 100)
		item := event.Item{ID: string(rune('A' + rng.IntN(20))), Quantity: event.One}
		if s.cost {
			item.Cost, item.HasCost = amount/2, true
		}
		add(at, event.Event{
			Type: event.OrderCompleted, OrderID: name + "/" + strconv.Itoa(len(evs)), Amount: amount, HasAmount: true,
			Items: []event.Item{item}, Channel: "app",
		})
		out := leave
		if s.browses && rng.Float64() < 0.06 {
			add(at+2, event.Event{Type: event.ComplaintRaised})
			out = 0.5
		}
		if rng.Float64() < out {
			if s.browses && rng.Float64() < 0.3 {
				add(at+30*rng.Float64(), event.Event{Type: event.PageViewed})
			}
			break
		}
		wait := gap * drawGamma(rng, k, k)
		if s.browses {
			for seen := at + 7; seen < at+wait; seen += 7 + 30*rng.Float64() {
				add(seen, event.Event{Type: [...]event.Type{event.PageViewed, event.MessageOpened}[rng.IntN(2)]})
			}
			if rng.Float64() < 0.7 {
				add(at+wait-9*rng.Float64(), event.Event{Type: event.ProductAdded, Items: []event.Item{item}})
			}
		}
		at += wait
	}
	slices.SortStableFunc(evs, func(a, b event.Event) int { return int(a.Time - b.Time) })
	return evs
}

// ledgers are n customers' facts, by the ledger's own rules.
func (s *simulator) ledgers(n int) []ledger.Ledger {
	rules, ls := testRules(), make([]ledger.Ledger, n)
	for i := range ls {
		evs := s.customer(i)
		for j := range evs {
			ls[i].Apply(&evs[j], &rules)
		}
	}
	return ls
}

// drawGamma draws from Gamma(shape, rate) (Marsaglia and Tsang's rejection).
func drawGamma(rng *rand.Rand, shape, rate float64) float64 {
	d := shape - 1./3
	for {
		z := rng.NormFloat64()
		v := 1 + z/math.Sqrt(9*d)
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-rng.Float64()) < z*z/2+d-d*v+d*math.Log(v) {
			return d * v / rate
		}
	}
}

// learnFrom fits models to the customers as of a day of the simulation.
func learnFrom(cfg *Config, ls []ledger.Ledger, at int64, prev *Learned) *Learned {
	rules := testRules()
	n := NewLearner(cfg, &rules, at)
	for i := range ls {
		n.Add(HashOf(strconv.Itoa(i)), &ls[i])
	}
	return n.Learn(prev)
}

// simulated are 2,000 customers over two years and what they taught by then,
// computed once.
var simulated = sync.OnceValues(func() ([]ledger.Ledger, *Learned) {
	sim := simulator{seed: 1, days: 730, browses: true}
	ls, cfg := sim.ledgers(2000), DefaultConfig()
	return ls, learnFrom(&cfg, ls, epoch+730*day, BuiltIn(cfg.HorizonDays))
})
