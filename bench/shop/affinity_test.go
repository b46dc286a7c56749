package shop_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/dangol-dev/dangol/bench/shop"
	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
)

const dayMS = 86_400_000

type bench struct {
	t             *testing.T
	shop          *shop.Shop
	dec           *decode.JSON
	counts        *basket.Counts
	source        *basket.Source
	rules         ledger.Rules
	before, after map[string]*ledger.Ledger
	pend          *shop.Record
}

func newBench(t *testing.T, c shop.Config, b basket.Config) *bench {
	lc := ledger.DefaultConfig()
	r := lc.Rules(ledger.NewCalendar(time.UTC))
	x := &bench{t: t, shop: shop.New(c), dec: decoder(t), counts: basket.New(b), rules: r, before: map[string]*ledger.Ledger{}, after: map[string]*ledger.Ledger{}}
	x.source = basket.NewSource(b, &x.rules)
	return x
}

func (b *bench) until(at int64) {
	var ev event.Event
	for {
		r := b.shop.Next()
		if r.Arrival >= at {
			return
		}
		switch r.Type {
		case event.OrderCompleted, event.OrderUpdated, event.OrderRefunded, event.OrderCancelled, event.ErasureRequested:
		default:
			continue
		}
		ev.Reset()
		if err := b.dec.Decode(r.Value, &ev); err != nil {
			b.t.Fatal(err)
		}
		before, after := b.before[r.Customer], b.after[r.Customer]
		if before == nil {
			before, after = &ledger.Ledger{}, &ledger.Ledger{}
			b.before[r.Customer], b.after[r.Customer] = before, after
		}
		after.Apply(&ev, &b.rules)
		b.source.Orders(before, after, func(row *basket.Row, sign int) {
			if row.Kind == basket.SameOrder {
				b.counts.Apply(row, sign)
			}
		})
		before.Apply(&ev, &b.rules)
	}
}

func env(k string, d float64) float64 {
	if v, err := strconv.ParseFloat(os.Getenv(k), 64); err == nil {
		return v
	}
	return d
}

func TestExplore(t *testing.T) {
	there := map[[2]string]bool{}
	for _, a := range shop.Affinities() {
		there[[2]string{a.Item, a.With}] = true
		there[[2]string{a.With, a.Item}] = true
	}
	for _, p := range shop.Implied(shop.Affinities()) {
		there[p] = true
		there[[2]string{p[1], p[0]}] = true
	}
	items := shop.Items()
	for seed := range uint64(env("SEEDS", 3)) {
		c := shop.DefaultConfig()
		c.Seed = 1 + seed
		c.Customers = int(env("CUST", 2000))
		c.Stop = time.Duration(env("STOP", 120)) * 24 * time.Hour
		bc := basket.DefaultConfig()
		bc.HalfLife = time.Duration(env("HALF", 30)) * 24 * time.Hour
		bc.Certainty = env("CERT", .99)
		b := newBench(t, c, bc)
		began := time.Now()
		for d := env("FROM", 15); d <= env("DAYS", 240); d += env("STEP", 15) {
			b.until(c.Start + int64(d*dayMS))
			missed, ended := []string{}, ""
			for _, a := range shop.Affinities() {
				h := b.counts.Holds(basket.SameOrder, event.Hash(a.Item), event.Hash(a.With))
				if a.Ends {
					ended = fmt.Sprint(h)
				} else if !h {
					v := b.counts.Table2(basket.SameOrder, event.Hash(a.Item), event.Hash(a.With))
					missed = append(missed, fmt.Sprintf("%s %.1f/%.1f LLR %.1f", a.Item, v.Both, v.A, v.LLR()))
				}
			}
			var false_ []string
			n := 0
			over := [5]int{}
			for i, x := range items {
				for _, y := range items[i+1:] {
					if there[[2]string{x.ID, y.ID}] {
						continue
					}
					n++
					v := b.counts.Table2(basket.SameOrder, event.Hash(x.ID), event.Hash(y.ID))
					if v.Lift() > 1 {
						for k, th := range []float64{3.84, 6.63, 10.83, 15.1, 19.5} {
							if v.LLR() > th {
								over[k]++
							}
						}
					}
					if b.counts.Holds(basket.SameOrder, event.Hash(x.ID), event.Hash(y.ID)) {
						false_ = append(false_, fmt.Sprintf("%s+%s %.1f %.1f %.1f LLR %.1f", x.ID, y.ID, v.Both, v.A, v.B, v.LLR()))
					}
				}
			}
			if os.Getenv("QUIET") != "" {
				if len(missed) > 0 || len(false_) > 0 || (ended == "true" && d >= env("STOP", 120)+2*env("HALF", 30)) {
					t.Logf("seed %d day %.0f: missed %v ended held %s false %v", c.Seed, d, missed, ended, false_)
				}
				continue
			}
			t.Logf("seed %d day %.0f orders %.0f: missed %v ended held %s false %v tails %v (expected %d %d %.1f %.1f)", c.Seed, d, b.counts.Orders(), missed, ended, false_, over, n/40, n/200, float64(n)/2000, float64(n)/20000)
		}
		if os.Getenv("QUIET") != "" {
			continue
		}
		t.Logf("took %v", time.Since(began))
	}
}
