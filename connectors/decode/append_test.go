package decode

import (
	"testing"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What the decoder accepts, written and read again, is the same event.
func TestRoundTrip(t *testing.T) {
	d, again := newDecoder(t), newDecoder(t)
	trips := 0
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			var ev, back event.Event
			if d.Decode(genRecord(t), &ev) != nil {
				continue
			}
			line := AppendJSON(nil, &ev)
			require.NoError(t, again.Decode(line, &back), "%s", line)
			require.Equal(t, clone(ev), clone(back), "%s", line)
			trips++
		}
	})
	if !testing.Short() { // which tries fewer
		require.Greater(t, trips, 200)
	}
}

func TestRoundTripText(t *testing.T) {
	d := newDecoder(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 40, 60)
		ev := event.Event{
			Type: rapid.SampledFrom([]event.Type{event.OrderCompleted, event.ConsentUpdated, event.PageViewed}).Draw(t, "type"),
			ID:   text.Draw(t, "id"), CustomerID: text.Draw(t, "customer"), Time: rapid.Int64Range(1, endOfTime-1).Draw(t, "time"),
			Items:  []event.Item{{ID: text.Draw(t, "item"), Quantity: event.Micro(rapid.Int64Min(0).Draw(t, "quantity")), Price: event.Micro(rapid.Int64Min(0).Draw(t, "price")), Cost: event.Micro(rapid.Int64Min(0).Draw(t, "cost")), HasCost: true}},
			Amount: event.Micro(rapid.Int64Min(0).Draw(t, "amount")), HasAmount: true, Coupon: text.Draw(t, "coupon"),
		}
		var back event.Event
		line := AppendJSON(nil, &ev)
		require.NoError(t, d.Decode(line, &back), "%s", line)
		require.Equal(t, ev, clone(back), "%s", line)
	})
}

func TestAppendForm(t *testing.T) {
	var ev event.Event
	require.NoError(t, newDecoder(t).Decode([]byte(nativeOrderLine), &ev))
	require.Equal(t, nativeOrderLine, string(AppendJSON(nil, &ev)))
	require.Contains(t, string(AppendJSON(nil, &event.Event{CustomerID: "a\xff\"\\\x01"})), `"a\ufffd\"\\\u0001"`)
	buf := make([]byte, 0, 1024)
	require.Zero(t, testing.AllocsPerRun(100, func() { AppendJSON(buf, &ev) }))
}
