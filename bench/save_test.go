package bench

import (
	"slices"
	"testing"

	"github.com/dangol-dev/dangol/engine/basket"
)

// BenchmarkSnapshot is what it costs to save the counts of BenchmarkBasket and to
// load them, in chunks of 512 KB.
func BenchmarkSnapshot(b *testing.B) {
	items, pairs := catalogue()
	c, _ := grown(items, pairs)
	var chunks [][]byte
	keep := func(chunk []byte) error {
		chunks = append(chunks, slices.Clone(chunk))
		return nil
	}
	b.Run("save", func(b *testing.B) {
		bytes := 0
		for b.Loop() {
			bytes = 0
			if err := c.Save(512<<10, func(chunk []byte) error { bytes += len(chunk); return nil }); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(bytes)/float64(c.Pairs()), "bytes/entry")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.Pairs()), "ns/entry")
	})
	if err := c.Save(512<<10, keep); err != nil {
		b.Fatal(err)
	}
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			fresh := basket.New(basket.DefaultConfig())
			for _, chunk := range chunks {
				if _, err := fresh.Load(chunk); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.Pairs()), "ns/entry")
	})
}
