package basket

import (
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// requireList requires that a list says what a map does, and that its lines know
// who went past them.
func requireList(t require.TestingT, p *pool, l *list, want map[uint32]sums) {
	require.EqualValues(t, len(want), l.n)
	require.Equal(t, want, maps.Collect(p.each(l)))
	if l.n == 0 {
		return
	}
	require.LessOrEqual(t, l.n, p.fits(l.class))
	lines := p.block(l)
	past := make([]uint32, len(lines))
	for other, s := range want {
		e := p.find(l, other)
		require.True(t, e.held)
		require.Equal(t, s, e.sums)
		for k := home(other, len(lines)); k != int(e.line-l.at); k = (k + 1) % len(lines) {
			past[k]++
		}
	}
	for k := range lines {
		require.Equal(t, past[k], p.past(&lines[k]), "line %d of %d", k, len(lines))
	}
}

// Lists that grow and shrink in one pool are maps, with extras and without; where
// they were is left empty.
func TestListsAreMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		p := pool{slots: rapid.SampledFrom([]uint{withExtras, withoutExtras}).Draw(t, "slots")}
		catalogue := rapid.SampledFrom([]int{5, 40, 400, 100_000}).Draw(t, "catalogue")
		most := rapid.SampledFrom([]int{3, 30, 300, 3000}).Draw(t, "most")
		var lists [3]list
		var want [len(lists)]map[uint32]sums
		for i := range want {
			want[i] = map[uint32]sums{}
		}
		for step, grow := 0, true; step < 4*most; step++ {
			i, other := rng.IntN(len(lists)), 1+uint32(rng.IntN(catalogue))
			l, m := &lists[i], want[i]
			s := sums{sum: rng.Float64()}
			if p.slots == withExtras {
				s.extra = rng.Float64()
			}
			e := p.find(l, other)
			_, held := m[other]
			require.Equal(t, held, e.held)
			switch {
			case held && (!grow || rng.IntN(3) == 0):
				p.remove(l, other, &e)
				delete(m, other)
			case held:
				p.update(&e, s)
				m[other] = s
			case grow || rng.IntN(5) == 0:
				p.insert(l, other, s)
				m[other] = s
			}
			if grow = grow && len(m) < most || len(m) == 0; step%(most/2) == 0 {
				requireList(t, &p, l, m)
			}
		}
		for i := range lists {
			requireList(t, &p, &lists[i], want[i])
			for other := range want[i] {
				e := p.find(&lists[i], other)
				p.remove(&lists[i], other, &e)
			}
			require.Zero(t, lists[i].n)
			require.Zero(t, p.find(&lists[i], 1))
		}
		for _, lines := range p.chunks {
			for k := range lines {
				require.Zero(t, lines[k])
			}
		}
	})
}

// A block that is less than half full is given back.
func TestListsShrink(t *testing.T) {
	p := pool{slots: withExtras}
	var l list
	for other := uint32(1); other <= 1024; other++ {
		p.insert(&l, other, sums{1, 2})
	}
	require.EqualValues(t, 384, classes[l.class])
	want := map[uint32]sums{}
	for other := uint32(1); other <= 1024; other++ {
		if e := p.find(&l, other); other%50 != 0 {
			p.remove(&l, other, &e)
		} else {
			want[other] = sums{1, 2}
		}
	}
	require.LessOrEqual(t, classes[l.class], uint32(16))
	requireList(t, &p, &l, want)
}

// The largest list has room in a chunk.
func TestLargestListFits(t *testing.T) {
	require.LessOrEqual(t, classes[len(classes)-1], uint32(chunkSize))
	for _, slots := range []uint{withExtras, withoutExtras} {
		p := pool{slots: slots}
		require.GreaterOrEqual(t, p.fits(uint8(len(classes)-1)), uint32(1<<16))
		var l list
		for other := uint32(1); other <= 1<<16; other++ {
			p.insert(&l, other, sums{sum: 1})
		}
		require.EqualValues(t, 1<<16, l.n)
		for other := uint32(1); other <= 1<<16; other++ {
			require.True(t, p.find(&l, other).held)
		}
	}
}

func TestScaleTakesSumsAndExtrasApart(t *testing.T) {
	for slots, want := range map[uint]sums{withExtras: {2, 12}, withoutExtras: {sum: 2}} {
		p := pool{slots: slots}
		var l list
		p.insert(&l, 7, sums{4, 3})
		p.scale(.5, 4)
		require.Equal(t, want, p.find(&l, 7).sums)
	}
}

func TestLowestIsThatOfASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 60).Draw(t, "xs")
		if rapid.Bool().Draw(t, "ties") {
			for i := range xs {
				xs[i] = float64(int(xs[i] * 4))
			}
		}
		n := rapid.IntRange(1, len(xs)).Draw(t, "n")
		x, equal := lowest(xs, n)
		below, same := 0, 0
		for _, y := range xs {
			if y < x {
				below++
			} else if y == x {
				same++
			}
		}
		require.Equal(t, n, below+equal)
		require.LessOrEqual(t, equal, same)
		require.Positive(t, equal)
	})
}
