//go:build synctests

package simulate

import (
	"encoding/binary"
	"fmt"
	"reflect"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// checkShared compares what each instance knows of all customers with a scan of all
// ledgers.
func (w *world) checkShared(o *outcome) {
	cfg := w.config()
	agg, counts := score.NewAggregate(), basket.New(cfg.Basket)
	calendar := ledger.NewCalendar(cfg.Zone)
	rules := cfg.Ledger.Rules(calendar)
	rules.Intern = func(b []byte) string { return string(b) }
	source := basket.NewSource(cfg.Basket, &rules)
	for _, in := range w.all {
		l := in.current()
		for _, p := range l.has() {
			require.NoError(w.t, l.store.Scan(p, []byte{'c'}, func(_, val []byte, _ int64) error {
				var led ledger.Ledger
				var em score.Emission
				n, k := binary.Uvarint(val)
				require.NoError(w.t, ledger.DecodeFacts(val[k:k+int(n)], &led, rules.Intern))
				require.NoError(w.t, em.Decode(val[k+int(n):]))
				agg.Add(&em)
				source.Each(&led, counts.Apply)
				return nil
			}))
		}
	}
	var cuts score.Cuts
	for _, in := range w.all {
		itsAgg, its := score.NewAggregate(), basket.New(cfg.Basket)
		require.NoError(w.t, in.current().core.Shared(func(part []byte) error {
			for len(part) > 0 {
				n, k := binary.Uvarint(part[1:])
				tag, b := part[0], part[1+k:1+k+int(n)]
				part = part[1+k+int(n):]
				switch tag {
				case 'c':
					if _, err := its.Load(b); err != nil {
						return err
					}
				case 's':
					if err := itsAgg.Decode(b); err != nil {
						return err
					}
				}
			}
			return nil
		}))
		its.Settle()
		now := max(its.Now(), counts.Now()) // each has its own
		its.Advance(now)
		counts.Advance(now)
		if got, want := itsAgg.Population(0, cuts), agg.Population(0, cuts); !reflect.DeepEqual(got, want) {
			o.fail(populationIs, "instance %s: %+v, the ledgers give %+v", in.name, got, want)
		}
		want := countsOf(counts)
		got := countsOf(its)
		for k := range want {
			if got[k] != want[k] {
				o.fail(countsAre, "instance %s: %s is %v, the ledgers give %v", in.name, k, got[k], want[k])
			}
		}
		if len(got) != len(want) {
			o.fail(countsAre, "instance %s: %d numbers, the ledgers give %d", in.name, len(got), len(want))
		}
	}
}

// countsOf is all that co-occurrence counts hold, to the bit, by name: their places
// hang on who came first.
func countsOf(c *basket.Counts) map[string]float64 {
	m := map[string]float64{"pairs": float64(c.Pairs()), "triples": float64(c.Triples()), "giants": float64(c.Giants()), "now": float64(c.Now())}
	c.EachItem(func(item uint64, n float64) { m[fmt.Sprintf("orders %x", item)] = n })
	for k := range basket.Kind(basket.NumKinds) {
		m[fmt.Sprint("total ", k)] = c.Total(k)
		c.EachPair(k, func(a, b uint64, n float64) {
			m[fmt.Sprintf("%s %x %x", k, a, b)] = n
			v := c.Table2(k, a, b)
			m[fmt.Sprintf("%s %x before", k, a)], m[fmt.Sprintf("%s %x after", k, b)] = v.A, v.B
		})
	}
	return m
}
