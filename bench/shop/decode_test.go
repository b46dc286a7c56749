package shop_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/bench/shop"
	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/event"
)

func decoder(t *testing.T) *decode.JSON {
	t.Helper()
	d, err := decode.NewJSON(decode.DefaultConfig())
	require.NoError(t, err)
	return d
}

// The engine's own decoder understands every record that is not broken, and
// as what it was meant.
func TestEngineReadsTheShop(t *testing.T) {
	d, s := decoder(t), shop.New(shop.DefaultConfig())
	var ev event.Event
	var coupons, discounts int // those without a code
	for range 50_000 {
		r := s.Next()
		if r.Kind == shop.Broken {
			continue
		}
		require.NoError(t, d.Decode(r.Value, &ev), "%s", r.Value)
		require.Equal(t, r.Type, ev.Type)
		require.Equal(t, r.Customer, ev.CustomerID)
		require.Equal(t, r.Time, ev.Time)
		require.NotEmpty(t, ev.ID)
		switch r.Type {
		case event.OrderCompleted:
			require.True(t, ev.HasAmount)
			sum := event.Micro(0)
			for _, i := range ev.Items {
				sum += i.Price * i.Quantity / event.One
			}
			require.Equal(t, sum, ev.Amount, "%s", r.Value)
			require.NotEmpty(t, ev.OrderID)
			if ev.Coupon != "" {
				coupons++
				require.Positive(t, ev.Discount)
			} else if ev.Discount > 0 {
				discounts++
			}
			for _, i := range ev.Items {
				require.True(t, i.HasCost)
				require.InDelta(t, .6, i.Cost.Float()/i.Price.Float(), .21)
			}
		case event.ProductViewed, event.ProductAdded:
			require.Len(t, ev.Items, 1)
			require.False(t, ev.Items[0].HasCost)
		}
	}
	require.Greater(t, coupons, 20)
	require.Greater(t, discounts, 20)
}

// Both wire formats of the same shop say the same.
func TestFormatsAgree(t *testing.T) {
	c := shop.DefaultConfig()
	c.MalformedShare = 0
	c.SegmentShare = 1e-12 // draws as many random numbers as the other
	native := shop.New(c)
	c.SegmentShare = 1
	segment := shop.New(c)
	da, db := decoder(t), decoder(t)
	var a, b event.Event
	for range 30_000 {
		x, y := native.Next(), segment.Next()
		require.NoError(t, da.Decode(x.Value, &a))
		require.NoError(t, db.Decode(y.Value, &b))
		if a.Type == event.CouponApplied { // Segment's spec has an id here, not the code
			a.Coupon, b.Coupon = "", ""
		}
		require.Equal(t, a.Items, b.Items)
		a.Items, b.Items = nil, nil
		require.Equal(t, a, b, "%s\n%s", x.Value, y.Value)
	}
}

// Every malformed record is refused, and for the reason that it states.
func TestEngineRefusesTheMalformed(t *testing.T) {
	d := decoder(t)
	for _, m := range shop.Malformed() {
		t.Run(m.Name, func(t *testing.T) {
			var ev event.Event
			err := d.Decode(m.Value, &ev)
			if m.Reason == event.FutureTime {
				require.NoError(t, err, "only whoever has a clock can tell")
				return
			}
			var r *event.Reject
			require.True(t, errors.As(err, &r), "accepted")
			require.Equal(t, m.Reason, r.Reason, "%v", err)
		})
	}
}
