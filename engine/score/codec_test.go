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

func sampleEmission() Emission {
	return Emission{
		Version: 17, AsOf: 1_768_000_000_000, Next: 1_769_500_000_000, Timer: TimerOverdue,
		Segment: rfm.Loyal, PreviousSegment: rfm.PotentialLoyalist, R: 5, F: 4, M: 3,
		Band: Medium, Stage: journey.Regular, Level: 2, Percent: 35, Probability: 412_345,
		Offered: 3, Offers: [MaxOffers]uint32{0xdeadbeef, 1, 0x7fffffff}, Permitted: 0x01020304,
		Orders: 5, Value: 264_300_000, Buyer: true, LastDay: 20_460, Frequency: 5, Monetary: 88_100_000,
	}
}

const goldenEmission = "010d1180c098d0f46680bcc1960b03050205c09787fc010403020103efbeadde01000000ffffff7f7502030223b99519d8bf0205c0b28254"

// The bytes of format 1 stay readable for ever.
func TestGoldenBytes(t *testing.T) {
	em := sampleEmission()
	b := em.Append(nil)
	require.LessOrEqual(t, len(b), 60)
	require.Equal(t, goldenEmission, hex.EncodeToString(b))
	var got Emission
	require.NoError(t, got.Decode(b))
	require.Equal(t, em, got)
}

func drawEmission(t *rapid.T) Emission {
	em := Emission{
		Version: rapid.Uint64().Draw(t, "version"), AsOf: rapid.Int64Range(0, 1<<45).Draw(t, "as of"),
		Stage: rapid.SampledFrom(journey.Stages()).Draw(t, "stage"), Level: rapid.Uint8().Draw(t, "level"),
		Overdue: rapid.Bool().Draw(t, "overdue"), Orders: rapid.Uint32().Draw(t, "orders"),
		Value: event.Micro(rapid.Int64().Draw(t, "value")), Permitted: rapid.Uint32().Draw(t, "permitted"),
		Offered: uint8(rapid.IntRange(0, MaxOffers).Draw(t, "offered")),
	}
	for i := range em.Offered {
		em.Offers[i] = rapid.Uint32().Draw(t, "offer")
	}
	if rapid.Bool().Draw(t, "has next") {
		em.Next, em.Timer = rapid.Int64Range(1, 1<<45).Draw(t, "next"), Timer(rapid.IntRange(1, 6).Draw(t, "timer"))
	}
	if !rapid.Bool().Draw(t, "buyer") {
		em.Monetary = 0
		return em
	}
	score := rapid.Uint8Range(1, 5)
	segment := rapid.OneOf(rapid.SampledFrom(rfm.Segments()), rapid.SampledFrom([]string{"", "whale", "none_of_these"}))
	em.Buyer, em.R, em.F, em.M = true, score.Draw(t, "r"), score.Draw(t, "f"), score.Draw(t, "m")
	em.Segment, em.PreviousSegment = segment.Draw(t, "segment"), segment.Draw(t, "previous")
	em.Band, em.Percent = Band(rapid.IntRange(0, 3).Draw(t, "band")), rapid.Uint8().Draw(t, "percent")
	em.Probability, em.LastDay = rapid.Uint32().Draw(t, "p"), rapid.Int32().Draw(t, "day")
	em.Frequency = rapid.Uint32().Draw(t, "f")
	em.Monetary = rapid.SampledFrom([]event.Micro{em.Value, -1, 88_100_000}).Draw(t, "monetary")
	return em
}

func TestEmissionRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		em := drawEmission(t)
		b := em.Append([]byte("x"))[1:]
		var got Emission
		require.NoError(t, got.Decode(b))
		require.Equal(t, em, got)
		for i := range b {
			require.ErrorIs(t, got.Decode(b[:i]), ErrEmission)
		}
		require.ErrorIs(t, got.Decode(append(b, 0)), ErrEmission)
	})
}

// Whatever the bytes, decoding ends in an Emission that encodes to something
// equal, or in an error.
func FuzzDecode(f *testing.F) {
	em := sampleEmission()
	f.Add(em.Append(nil))
	f.Add((&Emission{Version: 1, Stage: journey.Prospect}).Append(nil))
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, b []byte) {
		var em, again Emission
		if em.Decode(b) != nil {
			return
		}
		require.NoError(t, again.Decode(em.Append(nil)))
		require.Equal(t, em, again)
	})
}
