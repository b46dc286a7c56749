package score

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/journey"
	"github.com/dangol-dev/dangol/engine/rfm"
)

// drawMember draws an Emission as of a few months, or nobody's.
func drawMember(t *rapid.T) Emission {
	if rapid.IntRange(0, 4).Draw(t, "nobody") == 0 {
		return Emission{Version: 3}
	}
	em := drawEmission(t)
	em.LastDay = rapid.Int32Range(20_000, 20_400).Draw(t, "last day")
	em.Frequency = rapid.Uint32Range(0, 300).Draw(t, "frequency")
	return em
}

const goldenShift = "01" +
	"0200" + "02000102" + // a customer more, buyers as before; levels 0 and 3 one more, level 2 one less
	"03" + "0102" + "0501" + "0602" + // stages: a prospect and an advocate more, a regular less
	"00" + // bands: as before
	"02" + "0201" + "ff057768616c6502" + // segments: loyal one less, whale one more
	"02" + "02ff057768616c6502" + "030201" + // loyal to whale one more, potential loyalist to loyal one less
	"01" + "ee9f0101" + "0102" + "00" + "00" + "d12601bfb202" + "0302c0bb1c" + "00" // measures

// The bytes of format 1 stay readable for ever.
func TestGoldenShift(t *testing.T) {
	s := NewShift()
	before := sampleEmission()
	after := before
	after.Segment, after.PreviousSegment, after.Stage, after.Level = "whale", rfm.Loyal, journey.Advocate, 3
	after.LastDay, after.Monetary = after.LastDay+1, after.Monetary+event.One
	s.Move(&before, &after)
	s.Move(&Emission{}, &Emission{Stage: journey.Prospect})
	require.Equal(t, goldenShift, hex.EncodeToString(s.Append(nil)))
}

// Moves gathered in any number of shifts, and these taken in any order, give the
// Aggregate of the customers as they are now.
func TestShiftsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := rapid.SliceOfN(rapid.Custom(drawMember), 1, 8).Draw(t, "people")
		got, want := NewAggregate(), NewAggregate()
		for i := range people {
			got.Add(&people[i])
		}
		shifts := make([]*Shift, rapid.IntRange(1, 4).Draw(t, "shifts"))
		for i := range shifts {
			shifts[i] = NewShift()
			shifts[i].Move(&Emission{}, &people[0])
			shifts[i].Reset()
		}
		for range rapid.IntRange(0, 25).Draw(t, "moves") {
			i := rapid.IntRange(0, len(people)-1).Draw(t, "who")
			after := people[i]
			switch rapid.IntRange(0, 3).Draw(t, "what moves") {
			case 0:
				after.LastDay++
				after.Monetary++
			case 1:
				after.PreviousSegment = rapid.SampledFrom([]string{"", rfm.Loyal, "whale"}).Draw(t, "previous")
			default:
				after = drawMember(t)
			}
			shifts[rapid.IntRange(0, len(shifts)-1).Draw(t, "shift")].Move(&people[i], &after)
			people[i] = after
		}
		for i := range people {
			want.Add(&people[i])
		}
		nothing := NewShift().Append(nil)
		for _, s := range rapid.Permutation(shifts).Draw(t, "order") {
			b := s.Append(nil)
			require.Equal(t, s.Empty(), string(b) == string(nothing))
			require.NoError(t, got.Decode(b))
		}
		require.Equal(t, want.Append(nil), got.Append(nil))
		require.Equal(t, want.Cuts(20_500), got.Cuts(20_500))
		require.Equal(t, want.Population(1, Cuts{}), got.Population(1, Cuts{}))
		again := NewAggregate()
		require.NoError(t, again.Decode(want.Append(nil)))
		require.NoError(t, again.Decode(want.Append(nil)))
		want.Merge(got)
		require.Equal(t, want.Append(nil), again.Append(nil))
		require.Equal(t, want.Population(1, Cuts{}), again.Population(1, Cuts{}))
	})
}

// What is damaged is refused and changes nothing.
func TestDamagedAggregate(t *testing.T) {
	a, em := NewAggregate(), sampleEmission()
	a.Add(&em)
	em.Segment = "whale"
	a.Add(&em)
	before := a.Append(nil)
	refuse := func(b []byte, says string) {
		err := a.Decode(b)
		require.ErrorIs(t, err, ErrAggregate)
		require.ErrorContains(t, err, says)
		require.Equal(t, before, a.Append(nil))
	}
	refuse(nil, "ends early")
	refuse([]byte{9}, "format 9 is unknown to this binary, which reads 1")
	refuse([]byte{1, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0}, "do not add up to 1 customers and 0 buyers")
	refuse([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 77, 0, 0}, "a segment that is none")
	refuse([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4}, "format 4 is unknown")
	for n := range before {
		require.ErrorIs(t, a.Decode(before[:n]), ErrAggregate)
		require.Equal(t, before, a.Append(nil))
	}
}

func FuzzDecodeAggregate(f *testing.F) {
	golden, _ := hex.DecodeString(goldenShift)
	f.Add(golden)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, again := NewAggregate(), NewAggregate()
		if a.Decode(b) != nil {
			require.Equal(t, NewAggregate(), a)
			return
		}
		told := a.Append(nil)
		require.NoError(t, again.Decode(told))
		require.Equal(t, told, again.Append(nil))
	})
}

// BenchmarkShift is what a transaction of 300 moves costs to gather and to tell,
// its bytes, and what they cost to take in.
func BenchmarkShift(b *testing.B) {
	const moves = 300
	var before, after [moves]Emission
	for i := range before {
		em := sampleEmission()
		em.Segment, em.PreviousSegment = rfm.Segments()[i%10], rfm.Segments()[i/10%10]
		em.Stage, em.Level, em.Band = journey.Stages()[i%9], uint8(i%4), Band(1+i%3)
		em.LastDay, em.Frequency, em.Monetary = int32(20_000+i*37%400), uint32(1+i%9), event.Micro(i*7_919_003%500_000_000)
		before[i] = em
		em.LastDay, em.Frequency, em.Monetary = 20_400, em.Frequency+1, em.Monetary+event.Micro(i*104_729%50_000_000)
		if i%3 == 0 { // others are who they were
			em.PreviousSegment, em.Segment, em.Stage = em.Segment, rfm.Champions, journey.Regular
		}
		after[i] = em
	}
	s, told := NewShift(), []byte(nil)
	gather := func() {
		s.Reset()
		for i := range before {
			s.Move(&before[i], &after[i])
		}
		told = s.Append(told[:0])
	}
	each := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(moves*b.N), "ns/move")
		b.ReportMetric(float64(len(told))/moves, "bytes/move")
	}
	b.Run("gather", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			gather()
		}
		each(b)
	})
	b.Run("take", func(b *testing.B) {
		gather()
		a := NewAggregate()
		b.ReportAllocs()
		for b.Loop() {
			if err := a.Decode(told); err != nil {
				b.Fatal(err)
			}
		}
		each(b)
	})
}
