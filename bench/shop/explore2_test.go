package shop_test

import (
	"testing"
	"time"

	"github.com/dangol-dev/dangol/bench/shop"
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
)

func TestExploreStop(t *testing.T) {
	H := env("HALF", 30)
	var looks, llrOK, held int // before stop
	after := map[float64][2]int{}
	for seed := range uint64(env("SEEDS", 10)) {
		c := shop.DefaultConfig()
		c.Seed = 100 + seed
		c.Customers = int(env("CUST", 1000))
		stop := env("STOPH", 4)
		c.Stop = time.Duration(stop*H*24) * time.Hour
		bc := basket.DefaultConfig()
		bc.HalfLife = time.Duration(H) * 24 * time.Hour
		b := newBench(t, c, bc)
		n := float64(len(shop.Items()))
		_ = n
		for h := 2.; h <= stop+4; h += .25 {
			b.until(c.Start + int64(h*H*dayMS))
			for _, a := range shop.Affinities() {
				hold := b.counts.Holds(basket.SameOrder, event.Hash(a.Item), event.Hash(a.With))
				v := b.counts.Table2(basket.SameOrder, event.Hash(a.Item), event.Hash(a.With))
				if h <= stop {
					looks++
					if v.LLR() >= 22.4 {
						llrOK++
						if hold {
							held++
						}
					}
				} else {
					x := after[h-stop]
					x[0]++
					if hold {
						x[1]++
						if h-stop >= 2 {
							t.Logf("seed %d +%.2f: %s %+v LLR %.1f", c.Seed, h-stop, a.Item, v, v.LLR())
						}
					}
					after[h-stop] = x
				}
			}
		}
	}
	t.Logf("cust %v half %v: before %d looks, %d significant, %d of these ended wrongly (%.2f%%)", env("CUST", 1000), H, looks, llrOK, llrOK-held, 100*float64(llrOK-held)/float64(llrOK))
	for h := .25; h <= 4; h += .25 {
		if after[h][0] > 0 {
			t.Logf("%.2f half-lives after: held %d of %d", h, after[h][1], after[h][0])
		}
	}
}
