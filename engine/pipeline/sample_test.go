package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/score"
)

// The sample is the beginning of all who came, sorted by hash: in any order,
// however often they come, and also where samples of parts are put together.
func TestSampleIsTheLowestHashes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 20).Draw(t, "most")
		var all []sampled
		for i := range rapid.IntRange(0, 60).Draw(t, "customers") {
			id := fmt.Sprintf("c%d", i)
			all = append(all, sampled{score.HashOf(id), int32(i % 3), []byte(id)})
		}
		came := append(slices.Clone(all), all[:len(all)/2]...)
		came = rapid.Permutation(came).Draw(t, "order")

		one, parts := newSample(most), [2]*sample{newSample(most), newSample(most)}
		for i, c := range came {
			require.Equal(t, one.wants(c.hash), !one.in[c.hash] && (len(one.top) < most || c.hash < one.top[0].hash))
			one.add(c)
			parts[i%2].add(c)
		}
		merged := newSample(most)
		for _, p := range parts {
			for _, c := range p.top {
				merged.add(c)
			}
		}

		slices.SortFunc(all, func(a, b sampled) int { return cmp.Compare(a.hash, b.hash) })
		want := append([]sampled(nil), all[:min(most, len(all))]...)
		require.Equal(t, want, one.sorted())
		require.Equal(t, want, merged.sorted())
		require.Len(t, one.in, len(one.top))
	})
}
