package basket

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Hashes are numbered as they come, also 0 and such as differ in a few bits only.
func TestIndexNumbersHashes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, want := newIndex(), map[uint64]uint32{}
		shift := rapid.SampledFrom([]uint{0, 7, 60}).Draw(t, "shift")
		for _, h := range rapid.SliceOf(rapid.Uint64Range(0, 1000)).Draw(t, "hashes") {
			h <<= shift
			require.Equal(t, want[h], x.find(h))
			if want[h] == 0 {
				want[h] = uint32(len(want)) + 1
				require.Equal(t, want[h], x.add(h))
			}
		}
		for h, n := range want {
			require.Equal(t, n, x.find(h))
			require.Equal(t, h, x.hashes[n])
		}
		require.LessOrEqual(t, 2*len(want), len(x.slots))
	})
}
