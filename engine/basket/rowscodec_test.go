package basket_test

import (
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/basket"
)

const goldenRows = "01" + // version
	"01c801" + "0102" + "000700000000000000" + "000800000000000000" + "000900000000000000" + // the second follows the first
	"0e02" + "03" + "01" // taken away

// The bytes of version 1 stay readable for ever.
func TestGoldenRows(t *testing.T) {
	var m basket.Rows
	require.True(t, m.Empty())
	m.Add(&basket.Row{Kind: basket.SameSession, At: 101, From: []uint64{9}, To: []uint64{7}}, -1)
	require.False(t, m.Empty())
	m.Reset()
	require.True(t, m.Empty())
	m.Add(&basket.Row{Kind: basket.SameSession, At: 100, From: []uint64{7}, To: []uint64{8, 9}}, 1)
	m.Add(&basket.Row{Kind: basket.NextOrder, At: 101, From: []uint64{9}, To: []uint64{7}}, -1)
	require.Equal(t, goldenRows, hex.EncodeToString(m.Append(nil)))
	require.Equal(t, "f00d"+goldenRows, hex.EncodeToString(m.Append([]byte{0xf0, 0x0d})))
}

// Rows told in parts, in whatever order the parts are read, are counted as those
// that were told.
func TestRowsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m, got basket.Rows
		for _, r := range rapid.SliceOfN(rows(catalogue, -5, 1e9), 0, 60).Draw(t, "rows") {
			m.Add(&r, rapid.SampledFrom([]int{+1, +1, -1}).Draw(t, "sign"))
		}
		var parts [][]byte
		most := rapid.SampledFrom([]int{0, 40, 200, 1000, 100_000}).Draw(t, "most")
		require.NoError(t, m.Parts(most, func(part []byte) error {
			parts = append(parts, slices.Clone(part))
			return nil
		}))
		if most == 100_000 && !m.Empty() {
			require.Equal(t, [][]byte{m.Append(nil)}, parts)
		}
		for _, part := range parts {
			if most >= 200 {
				require.LessOrEqual(t, len(part), most)
			}
			require.NoError(t, got.Decode(part))
		}
		require.Equal(t, m.Append(nil), got.Append(nil), "row for row")
		want, c := basket.New(plain()), basket.New(plain())
		got.Reset()
		for _, part := range rapid.Permutation(parts).Draw(t, "order") {
			require.NoError(t, got.Decode(part))
		}
		for k := range basket.Kind(basket.NumKinds) {
			want.Meet(&m)
			want.ApplyKind(k, &m, 1)
			c.Meet(&got)
			c.ApplyKind(k, &got, 1)
		}
		require.Equal(t, tell(want, numbers), tell(c, numbers))
		require.Equal(t, want.Now(), c.Now())
	})
}

func TestPartsEndWhereTheyAreRefused(t *testing.T) {
	m := traffic(50, 1)
	full, n := errors.New("full"), 0
	require.Equal(t, full, m.Parts(2000, func([]byte) error {
		if n++; n == 2 {
			return full
		}
		return nil
	}))
	require.Equal(t, 2, n)
}

// What is damaged is refused and leaves the rows that were there.
func TestDamagedRows(t *testing.T) {
	golden, err := hex.DecodeString(goldenRows)
	require.NoError(t, err)
	m := traffic(3, 1)
	before := m.Append(nil)
	refuse := func(b []byte, says string) {
		err := m.Decode(b)
		require.ErrorIs(t, err, basket.ErrRows)
		require.ErrorContains(t, err, says)
		require.Equal(t, before, m.Append(nil))
	}
	refuse(nil, "no bytes")
	refuse([]byte{9}, "version 9 is unknown to this binary, which reads 1")
	refuse([]byte{1, 0x10, 0}, "begins with 0x10")
	refuse([]byte{1, 0, 0, 65, 0}, "has 65 and 0 items, more than 64")
	refuse([]byte{1, 0, 0, 0, 1, 5}, "item 5 of 0")
	whole := map[int]bool{1: true, len(golden) - 4: true, len(golden): true}
	for n := range golden {
		if !whole[n] && n > 0 {
			refuse(golden[:n], "ends early")
		}
	}
	require.NoError(t, m.Decode(golden))
}

func FuzzDecodeRows(f *testing.F) {
	golden, _ := hex.DecodeString(goldenRows)
	f.Add(golden)
	busy := traffic(2, 1)
	f.Add(busy.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again basket.Rows
		if m.Decode(b) != nil {
			require.True(t, m.Empty())
			return
		}
		told := m.Append(nil)
		require.NoError(t, again.Decode(told))
		require.Equal(t, told, again.Append(nil))
	})
}

// traffic are the rows of so many orders, each of some other customer who has
// ordered before, of a catalogue of 20,000 of which few are popular, and of five
// views each.
func traffic(orders int, seed uint64) *basket.Rows {
	const size, catalogue = 6, 20_000
	rng := rand.New(rand.NewPCG(seed, 1))
	hash := func(is []uint64) []uint64 {
		is = slices.Clone(is)
		for i := range is {
			is[i] *= 0x9e3779b97f4a7c15
		}
		slices.Sort(is)
		return is
	}
	all, m := zipf(4*orders, catalogue, size, 1, seed), new(basket.Rows)
	for i := range orders {
		at := 1_700_000_000_000 + int64(i)*60 + rng.Int64N(5_000)
		to, before, had := hash(all[4*i]), hash(all[4*i+1]), hash(slices.Concat(all[4*i+1:][:3]...))
		had = slices.DeleteFunc(slices.Compact(had), func(it uint64) bool { return slices.Contains(to, it) })
		m.Add(&basket.Row{Kind: basket.SameOrder, At: at, To: to}, 1)
		m.Add(&basket.Row{Kind: basket.NextOrder, At: at, From: before, To: to}, 1)
		m.Add(&basket.Row{Kind: basket.SameCustomer, At: at, From: had, To: to[:4]}, 1)
		for j := range 5 {
			m.Add(&basket.Row{Kind: basket.SameSession, At: at - int64(9-j)*20_000, From: to[j : j+1], To: to[j+1:][:1]}, 1)
		}
	}
	return m
}

func TestRowsAreToldWithoutAllocating(t *testing.T) {
	m, b := traffic(100, 1), []byte(nil)
	require.Zero(t, testing.AllocsPerRun(10, func() { b = m.Append(b[:0]) }))
	var got basket.Rows
	require.NoError(t, got.Decode(b))
	require.Zero(t, testing.AllocsPerRun(10, func() {
		got.Reset()
		if err := got.Decode(b); err != nil {
			t.Fatal(err)
		}
	}))
	emit := func([]byte) error { return nil }
	require.Zero(t, testing.AllocsPerRun(10, func() { require.NoError(t, m.Parts(3000, emit)) }))
}

// BenchmarkRows is what it costs to tell and to read the rows of an order, in
// transactions of so many.
func BenchmarkRows(b *testing.B) {
	for _, size := range []struct {
		name   string
		orders int
	}{{"10", 10}, {"300", 300}, {"3000", 3000}} {
		m, told, items := traffic(size.orders, 1), []byte(nil), 0
		for k := range basket.Kind(basket.NumKinds) {
			items += len(m.Items(k))
		}
		each := func(b *testing.B) float64 { return float64(b.N * size.orders) }
		b.Run("append/"+size.name, func(b *testing.B) {
			for b.Loop() {
				told = m.Append(told[:0])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/each(b), "ns/order")
			b.ReportMetric(float64(len(told))/float64(size.orders), "bytes/order")
			b.ReportMetric(float64(len(told))/float64(items), "bytes/item")
		})
		b.Run("decode/"+size.name, func(b *testing.B) {
			var got basket.Rows
			for b.Loop() {
				got.Reset()
				if err := got.Decode(told); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/each(b), "ns/order")
		})
	}
}
