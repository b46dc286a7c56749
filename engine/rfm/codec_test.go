package rfm

import (
	"encoding/hex"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
)

const goldenPopulation = "01" +
	"a29c01" + "02" + "01" + "01" + "00" + // last days: one of 20,000 more, one of 20,001 less
	"04" + "02" + "a902" + "01" + "00" + // frequency: one of 3 more, one of 300 less
	"f505" + "02" + "02" + "916c" + "01" + "00" // monetary: one more in the bin of 1000, and 1 above its edge; one of -5 less

// The bytes of format 1 stay readable for ever.
func TestGoldenPopulation(t *testing.T) {
	var s Shift
	s.Move(Customer{}, Customer{LastDay: 20_000, Frequency: 3, Monetary: 1001})
	s.Move(Customer{LastDay: 20_001, Frequency: 300, Monetary: -5}, Customer{})
	require.Equal(t, goldenPopulation, hex.EncodeToString(s.Append(nil)))
	p := Population{}
	p.Add(Customer{LastDay: 20_001, Frequency: 300, Monetary: -5})
	require.NoError(t, p.Decode(s.Append(nil)))
	require.Equal(t, [4]float64{1001e-6, 1001e-6, 1001e-6, 1001e-6}, p.Cuts(20_000).Monetary)
}

// Moves gathered in any number of shifts, and these taken in any order, give
// the population that is left; the bytes of two populations are that of both.
func TestShiftsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := append(drawCustomers(t, "people"), Customer{})
		var want, got, copied Population
		for _, c := range people {
			want.Add(c)
			got.Add(c)
		}
		shifts := make([]Shift, rapid.IntRange(1, 4).Draw(t, "shifts"))
		for range rapid.IntRange(0, 100).Draw(t, "moves") {
			i := rapid.IntRange(0, len(people)-1).Draw(t, "who")
			after := people[i]
			if after.Monetary++; rapid.Bool().Draw(t, "much") {
				after = drawCustomer(t)
			}
			shifts[rapid.IntRange(0, len(shifts)-1).Draw(t, "shift")].Move(people[i], after)
			want.Remove(people[i])
			want.Add(after)
			people[i] = after
		}
		for _, s := range rapid.Permutation(shifts).Draw(t, "order") {
			b := s.Append(nil)
			require.Equal(t, s.Empty(), len(b) == 1+sections)
			require.NoError(t, got.Decode(b))
		}
		require.Equal(t, want.Append(nil), got.Append(nil))
		require.Equal(t, want.Cuts(9500), got.Cuts(9500))
		require.Equal(t, want.Len(), got.Len())
		var fresh Population
		for _, c := range people {
			fresh.Add(c)
		}
		require.Equal(t, fresh.Append(nil), got.Append(nil))
		require.NoError(t, copied.Decode(got.Append(nil)))
		require.NoError(t, copied.Decode(got.Append(nil)))
		got.Merge(&got)
		require.Equal(t, got.Cuts(9500), copied.Cuts(9500))
	})
}

// Moves there and back come to nothing.
func TestShiftThatIsNone(t *testing.T) {
	a, b := Customer{LastDay: 9000, Frequency: 3, Monetary: 5e6}, Customer{LastDay: 9001, Frequency: 4, Monetary: 6e6}
	var s Shift
	require.True(t, s.Empty())
	s.Move(a, a)
	require.True(t, s.Empty())
	s.Move(a, b)
	require.False(t, s.Empty())
	s.Move(b, a)
	require.True(t, s.Empty())
	s.Move(a, Customer{})
	s.Reset()
	require.True(t, s.Empty())
	require.Equal(t, []byte{format, 0, 0, 0}, s.Append(nil))
}

// What is damaged is refused and changes nothing.
func TestDamagedPopulation(t *testing.T) {
	var p Population
	p.Add(Customer{LastDay: 9000, Frequency: 3, Monetary: math.MaxInt64})
	before := p.Append(nil)
	refuse := func(b []byte, says string) {
		err := p.Decode(b)
		require.ErrorIs(t, err, ErrPopulation)
		require.ErrorContains(t, err, says)
		require.Equal(t, before, p.Append(nil))
	}
	refuse(nil, "no bytes")
	refuse([]byte{7}, "format 7 is unknown to this binary, which reads 1")
	refuse([]byte{1, 1, 2, 0, 0, 0}, "of 1 customers there are 0 frequencies and 0 monetary values")
	refuse([]byte{1, 0, 0, 0, 0}, "1 bytes too many")
	refuse([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f, 2, 0, 0, 0}, "a key of section 0 is out of range")
	refuse([]byte{1, 0, 0x81, 0xe4, 0x01, 2, 0, 0}, "a key of section 1 is out of range")
	for n := 1; n < len(before); n++ {
		refuse(before[:n], "ends early")
	}
	var first, last Population // the bounds are those of the years that events have
	first.Add(Customer{LastDay: firstDay, Frequency: 1})
	last.Add(Customer{LastDay: firstDay + days - 1, Frequency: 1})
	require.NoError(t, first.Decode(last.Append(nil)))
	require.Equal(t, 2, first.Len())
}

func FuzzDecodePopulation(f *testing.F) {
	var p Population
	for i := range 5 {
		p.Add(Customer{LastDay: int32(9000 + i), Frequency: 300 * i, Monetary: event.Micro(-2+i) * 1e6})
	}
	f.Add(p.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p, again Population
		if p.Decode(b) != nil {
			require.Zero(t, p)
			return
		}
		p.Cuts(9500)
		told := p.Append(nil)
		require.NoError(t, again.Decode(told))
		require.Equal(t, told, again.Append(nil))
	})
}

// BenchmarkShift is what a transaction of 300 moves costs, and its bytes.
func BenchmarkShift(b *testing.B) {
	const moves = 300
	var s Shift
	var told []byte
	b.ReportAllocs()
	for b.Loop() {
		s.Reset()
		for i := range int64(moves) {
			was := Customer{LastDay: int32(9000 + i*37%400), Frequency: int(i % 9), Monetary: event.Micro(i * 7_919_000_003 % 500_000_000)}
			is := Customer{LastDay: 9400, Frequency: was.Frequency + 1, Monetary: was.Monetary + event.Micro(i*104_729%50_000_000)}
			s.Move(was, is)
		}
		told = s.Append(told[:0])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(moves*b.N), "ns/move")
	b.ReportMetric(float64(len(told))/moves, "bytes/move")
}
