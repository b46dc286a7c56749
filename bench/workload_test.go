package bench

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/event"
)

// The workload is what it is said to be, and every record of it is an event.
func TestWorkload(t *testing.T) {
	const n = 100_000
	dec, err := decode.NewJSON(decode.DefaultConfig())
	require.NoError(t, err)
	w, same := NewWorkload(100_000, 1000, 7), NewWorkload(100_000, 1000, 7)
	types, customers, bytes := map[event.Type]int{}, map[string]int{}, 0
	var ev event.Event
	for range n {
		r := w.Next()
		require.NoError(t, dec.Decode(r.Value, &ev))
		require.Equal(t, r.Type, ev.Type)
		require.Equal(t, string(r.Key), ev.CustomerID)
		require.Equal(t, string(r.Value), string(same.Next().Value))
		types[ev.Type]++
		customers[ev.CustomerID]++
		bytes += len(r.Value)
	}
	require.InDelta(t, 0.85, float64(types[event.ProductViewed])/n, 0.01)
	require.InDelta(t, orderShare, float64(types[event.OrderCompleted])/n, 0.005)
	require.InDelta(t, 250, bytes/n, 20)
	busiest := 0
	for _, c := range customers {
		busiest = max(busiest, c)
	}
	require.Less(t, busiest, n/200, "the busiest customer is a person")
	require.Greater(t, len(customers), n/20)
}
