package state

import (
	"github.com/stretchr/testify/require"
)

// checkHotSet walks all memory of a hot set and compares it with the lists and
// counters that describe it.
func checkHotSet(t require.TestingT, h *hotSet) {
	a := &h.arena
	free := map[ref]uint32{}
	var entries int
	var bytes int64
	for c := range a.chunks {
		if a.chunks[c] == nil {
			continue
		}
		bytes += int64(len(a.chunks[c]))
		var used uint32
		hand := a.hand == 0 || a.chunkOf(a.hand) != uint32(c)
		units, afterFreed := uint32(0), false
		for r := ref(c << a.shift); r != 0; r = a.after(r, a.units(r)) {
			hand = hand || a.hand == r
			units += a.units(r)
			require.True(t, afterFreed == has(a.at(r), afterFree))
			if afterFreed {
				require.True(t, has(a.at(r), inUse), "free neighbours are one block")
			}
			afterFreed = !has(a.at(r), inUse)
			if b := a.at(r); has(b, inUse) {
				used++
				require.True(t, r == h.find(entryKey(b)))
			} else if a.units(r) >= leastUnits {
				free[r] = a.units(r)
			}
		}
		require.True(t, a.chunkUnits(uint32(c)) == units)
		require.True(t, hand, "the hand is at a block")
		require.True(t, a.live[c] == used)
		entries += int(used)
	}
	require.Equal(t, bytes, a.bytes)
	require.Equal(t, a.bytes+h.index.bytes(), h.own)
	require.Equal(t, entries, h.index.count)
	for class, head := range a.heads {
		require.True(t, (head != 0) == (a.nonEmpty[class/64]>>(class%64)&1 == 1))
		for r, prev := head, ref(0); r != 0; {
			require.True(t, class == sizeClass(free[r]))
			delete(free, r)
			next, before := links(a.at(r))
			require.True(t, prev == before)
			prev, r = r, next
		}
	}
	require.Empty(t, free, "every free block is in a list")
}
