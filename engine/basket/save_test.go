package basket

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// saved are the chunks of counts.
func saved(t require.TestingT, c *Counts, most int) (chunks [][]byte) {
	require.NoError(t, c.Save(most, func(chunk []byte) error {
		chunks = append(chunks, slices.Clone(chunk))
		return nil
	}))
	return chunks
}

func loaded(t require.TestingT, cfg Config, chunks [][]byte) *Counts {
	c := New(cfg)
	for i, chunk := range chunks {
		done, err := c.Load(chunk)
		require.NoError(t, err)
		require.Equal(t, i == len(chunks)-1, done)
	}
	return c
}

// requireSame requires that counts are the same to the last bit, and will be: in
// all but where in memory things lie and who is at hand.
func requireSame(t require.TestingT, want, got *Counts) {
	require.Equal(t, [...]any{want.now, want.giants, want.clock, want.quick}, [...]any{got.now, got.giants, got.clock, got.quick})
	require.Equal(t, want.index.hashes, got.index.hashes)
	for k := range want.tables {
		x, y := &want.tables[k], &got.tables[k]
		require.Equal(t, [...]any{x.total, x.late, x.pairs, x.pruned}, [...]any{y.total, y.late, y.pairs, y.pruned})
		require.Equal(t, x.sides, y.sides)
		for a := range x.lists {
			l, m := &x.lists[a], &y.lists[a]
			require.Equal(t, [...]any{l.lost, l.n}, [...]any{m.lost, m.n})
			if l.n > 0 {
				require.Equal(t, l.class, m.class)
				require.Equal(t, x.pool.block(l), y.pool.block(m))
			}
		}
	}
	x, y := &want.triples, &got.triples
	require.Equal(t, [...]any{x.used, x.lost, x.pruned, len(x.slots)}, [...]any{y.used, y.lost, y.pruned, len(y.slots)})
	for i := range x.slots {
		if s := &x.slots[i]; s.a != 0 {
			at, found := y.find(s)
			require.True(t, found)
			require.Equal(t, *s, y.slots[at])
		}
	}
}

// requireNear requires that the same are at hand.
func requireNear(t require.TestingT, want, got *Counts) {
	var x, y [MaxNear]Near
	for k := range Kind(NumKinds) {
		for a := range want.index.hashes {
			require.Equal(t, want.Near(k, Ref(a), &x), got.Near(k, Ref(a), &y))
		}
	}
}

// scribble applies n random rows of all kinds, some of which it takes away, also
// such as never came, within span ms from begin on.
func scribble(rng *rand.Rand, n, catalogue int, begin, span int64, to ...*Counts) {
	var there []Row
	item := func() uint64 {
		return 1 + uint64(float64(catalogue)*rng.Float64()*rng.Float64())
	}
	some := func(n int) (is []uint64) {
		for range n {
			if it := item(); !slices.Contains(is, it) {
				is = append(is, it)
			}
		}
		return is
	}
	apply := func(r *Row, sign int) {
		for _, c := range to {
			c.Apply(r, sign)
		}
	}
	for range n {
		r := Row{Kind: Kind(rng.IntN(NumKinds)), At: begin + rng.Int64N(span), To: some(1 + rng.IntN(8))}
		if rng.IntN(200) == 0 {
			r.To = some(5 * MaxItems)
		}
		switch r.Kind {
		case SameSession:
			r.From, r.To = some(1), r.To[:1]
		case NextOrder:
			r.From = some(5)
		case SameCustomer:
			r.From = slices.DeleteFunc(some(5), func(it uint64) bool { return slices.Contains(r.To, it) })
		}
		switch rng.IntN(10) {
		case 0:
			apply(&r, -1)
			continue
		case 1, 2, 3:
			if len(there) > 0 {
				i := rng.IntN(len(there))
				apply(&there[i], -1)
				there = slices.Delete(there, i, i+1)
			}
		}
		apply(&r, +1)
		there = append(there, r)
	}
}

func drawConfig(t *rapid.T) Config {
	cfg := DefaultConfig()
	cfg.HalfLife = rapid.SampledFrom([]time.Duration{0, time.Minute, 64 * time.Hour}).Draw(t, "half-life")
	cfg.Neighbours = rapid.SampledFrom([]int{8, 9, 30, 1024}).Draw(t, "neighbours")
	cfg.Triples = rapid.SampledFrom([]int{0, 1, 20, 100, 10_000}).Draw(t, "triples")
	return cfg
}

// Counts that are saved and loaded are the same, and go on in the same way, with
// lists and triples that are full, too, and across the instants at which weights are
// scaled down.
func TestLoadedCountsAreTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := drawConfig(t)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		catalogue := rapid.SampledFrom([]int{12, 60, 300}).Draw(t, "catalogue")
		half := max(1000, cfg.HalfLife.Milliseconds())
		begin := half * rapid.SampledFrom([]int64{0, 385, 100_000}).Draw(t, "begin")
		want := New(cfg)
		scribble(rng, rapid.IntRange(0, 150).Draw(t, "rows"), catalogue, begin, 10*half, want)
		want.Advance(begin + rapid.Int64Range(0, 20).Draw(t, "later")*half)
		most := rapid.SampledFrom([]int{0, 300, 3000, 100_000}).Draw(t, "most")
		chunks := saved(t, want, most)
		got := loaded(t, cfg, chunks)
		requireSame(t, want, got)
		want.Settle()
		requireNear(t, want, got)
		if most >= 3000 {
			for _, chunk := range chunks {
				require.LessOrEqual(t, len(chunk), most)
			}
		}
		scribble(rng, 100, catalogue+5, begin+5*half, 15*half, want, got)
		requireSame(t, want, got)
		want.Settle()
		got.Settle()
		requireNear(t, want, got)
	})
}

// A list may be in many chunks.
func TestLongListsAreSavedInPieces(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Neighbours, cfg.Triples = 1<<16, 0
	want := New(cfg)
	for i := range uint64(5000) {
		want.Apply(&Row{At: int64(i), To: []uint64{1, 2 + i}}, 1)
		want.Apply(&Row{Kind: SameSession, At: int64(i), From: []uint64{1}, To: []uint64{2 + i}}, 1)
	}
	chunks := saved(t, want, 5000)
	require.Greater(t, len(chunks), 20)
	got := loaded(t, cfg, chunks)
	requireSame(t, want, got)
	requireSame(t, want, loaded(t, cfg, saved(t, want, 1<<20)))
	got = New(cfg)
	for _, chunk := range slices.Delete(chunks, 15, 16) {
		if _, err := got.Load(chunk); err != nil {
			require.EqualError(t, err, "saved counts: chunk 15: it is number 16: load all chunks of a snapshot in their order, into new counts")
			return
		}
	}
	require.Fail(t, "a chunk was missing")
}

func TestSaveEndsWhereItIsRefused(t *testing.T) {
	c := New(DefaultConfig())
	scribble(rand.New(rand.NewPCG(1, 1)), 100, 50, 0, 1e6, c)
	full, n := errors.New("full"), 0
	require.Equal(t, full, c.Save(1000, func([]byte) error {
		if n++; n == 3 {
			return full
		}
		return nil
	}))
	require.Equal(t, 3, n)
}

// Counts of another configuration, or a damaged or incomplete snapshot, are refused.
func TestLoadRefuses(t *testing.T) {
	cfg := DefaultConfig()
	cfg.HalfLife, cfg.Triples = time.Hour, 50
	c := New(cfg)
	scribble(rand.New(rand.NewPCG(1, 1)), 100, 50, 0, 1e6, c)
	chunks := saved(t, c, 1<<20)
	require.Len(t, chunks, 3+NumKinds+1)
	other := cfg
	other.Neighbours = 9
	_, err := New(other).Load(chunks[0])
	require.ErrorIs(t, err, ErrCounts)
	require.EqualError(t, err, "saved counts: chunk 0: they are of half_life 3600000ms, window 7776000000ms, session_gap 1800000ms, neighbours 1024, triples 50; "+
		"configured are 3600000ms, 7776000000ms, 1800000ms, 9, 50: configure what they were counted with, or count again from the ledgers")
	_, err = c.Load(chunks[0])
	require.ErrorContains(t, err, "the counts are not new")
	for i, chunk := range chunks {
		for _, n := range []int{0, 1, 5, chunkHead, len(chunk) / 2, len(chunk) - 1} {
			got := loadSome(t, cfg, chunks[:i])
			done, err := got.Load(chunk[:n])
			for j := i + 1; err == nil && j < len(chunks); j++ { // what ends between two records lacks something
				done, err = got.Load(chunks[j])
			}
			require.ErrorIs(t, err, ErrCounts, "%d bytes of chunk %d", n, i)
			require.False(t, done)
		}
		got := loadSome(t, cfg, chunks[:i])
		_, err := got.Load(append(slices.Clone(chunk), 1, 2))
		require.ErrorIs(t, err, ErrCounts)
		bad := slices.Clone(chunk)
		bad[0] = 7
		_, err = loadSome(t, cfg, chunks[:i]).Load(bad)
		require.ErrorContains(t, err, "version 7 is unknown to this binary, which reads 1")
	}
}

// Few bytes cannot ask for much memory: a list has no block of more than twice its
// neighbours.
func TestLoadRefusesRoomForNobody(t *testing.T) {
	cfg := DefaultConfig()
	c := New(cfg)
	c.Apply(&Row{To: []uint64{7, 8}}, 1)
	chunks := saved(t, c, 1<<20)
	one := []byte{1, 2, 2, 0x3f, 0xf0} // slot 0 taken: by the second item, 1 and 0
	load := func(class byte, lines ...byte) error {
		record := append([]byte{1, recordList, class}, lines...)
		_, err := loadSome(t, cfg, chunks[:2]).Load(append(slices.Clone(chunks[2][:chunkHead]), record...))
		return err
	}
	require.NoError(t, load(0, one...))
	require.ErrorIs(t, load(1, append(one, 0)...), errRecord)
	require.ErrorIs(t, load(0, 0), errRecord)
	require.ErrorIs(t, load(200, one...), errRecord)
}

func loadSome(t require.TestingT, cfg Config, chunks [][]byte) *Counts {
	c := New(cfg)
	for _, chunk := range chunks {
		_, err := c.Load(chunk)
		require.NoError(t, err)
	}
	return c
}

// Whatever is loaded, it is refused or can be counted with.
func FuzzLoad(f *testing.F) {
	cfg := DefaultConfig()
	cfg.HalfLife, cfg.Neighbours, cfg.Triples = time.Hour, 30, 50
	c := New(cfg)
	scribble(rand.New(rand.NewPCG(1, 1)), 60, 40, 0, 1e6, c)
	chunks := saved(f, c, 1<<20)
	for i, chunk := range chunks {
		f.Add(uint8(i), chunk[chunkHead:])
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		i := int(which) % len(chunks)
		got := loadSome(t, cfg, chunks[:i])
		before := got.Bytes()
		_, err := got.Load(append(slices.Clone(chunks[i][:chunkHead]), body...))
		require.Less(t, got.Bytes()-before, int64(8<<20+100*len(body)))
		for _, chunk := range chunks[i+1:] {
			if err == nil {
				_, err = got.Load(chunk)
			}
		}
		if err != nil {
			return
		}
		requireSame(t, got, loaded(t, cfg, saved(t, got, 1000)))
		scribble(rand.New(rand.NewPCG(2, 1)), 30, 50, 0, 1e6, got)
	})
}
