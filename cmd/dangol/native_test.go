package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/bench/shop"
	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/event"
)

// What is written is read back as the same event, whatever it was read from.
func TestNativeRoundTrip(t *testing.T) {
	d, err := decode.NewJSON(decode.DefaultConfig())
	require.NoError(t, err)
	again, err := decode.NewJSON(decode.DefaultConfig())
	require.NoError(t, err)
	check := func(ev *event.Event) {
		t.Helper()
		text := appendNative(nil, ev)
		var back event.Event
		require.NoError(t, again.Decode(text, &back), "%s", text)
		require.Empty(t, cmp.Diff(*ev, back, cmpopts.EquateEmpty()), "%s", text)
	}
	s := shop.New(shop.DefaultConfig())
	types := map[event.Type]bool{}
	var ev event.Event
	for range 15_000 {
		if r := s.Next(); r.Kind != shop.Broken {
			require.NoError(t, d.Decode(r.Value, &ev))
			types[ev.Type] = true
			check(&ev)
		}
	}
	require.Greater(t, len(types), 20)
	check(&event.Event{
		ID: "e \"1\"\n", Type: event.OrderRefunded, CustomerID: "단골 <&> \u2028", Time: 1_000, OrderID: "o\\9",
		Items:  []event.Item{{ID: "a", Quantity: event.One * 5 / 2, Price: 1}, {ID: "b", Quantity: event.One}},
		Amount: 0, HasAmount: true, Currency: "EUR", Channel: "app",
	})
	check(&event.Event{Type: event.Aliased, CustomerID: "new", PreviousID: "old", Time: 1_500})
}
