package nextbest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/basket"
)

// A dearer item of the same category that buyers move on to, and not back from,
// is an up_sell; all else that is new to the customer is a cross_sell.
func TestUpSell(t *testing.T) {
	for _, c := range []struct {
		why      string
		category string
		price    int64
		back     int // customers who go the other way
		kind     string
	}{
		{"dearer, the same category, moved on to", "phone", 150, 0, UpSell},
		{"as many go back", "phone", 150, 20, CrossSell},
		{"fewer go back", "phone", 150, 10, UpSell},
		{"hardly dearer", "phone", 109, 0, CrossSell},
		{"dearer by more than a tenth", "phone", 111, 0, UpSell},
		{"cheaper", "phone", 90, 0, CrossSell},
		{"of a price that nobody knows", "phone", 0, 0, CrossSell},
		{"of another category", "camera", 150, 0, CrossSell},
		{"of no category", "", 150, 0, CrossSell},
	} {
		s := newShop()
		s.knows("phone", 100, "small")
		s.knows(c.category, c.price, "large")
		s.sold(20, []string{"small"}, []string{"large"})
		s.sold(c.back, []string{"large"}, []string{"small"})
		s.sold(100, []string{"Z"})
		o := s.offered(t, s.shopper().bought(0, "small"), 50, "large")
		require.NotNil(t, o, c.why)
		require.Equal(t, c.kind, o.Kind, c.why)
		require.Equal(t, []string{"small"}, o.Because[0].ItemIDs)
		k, err := basket.ParseKind(o.Because[0].Kind)
		require.NoError(t, err)
		requireFigures(t, s, k, "small", "large", o.Because[0])
		require.InDelta(t, o.Score*float64(c.price), o.Value, 1e-9)

		o = s.offered(t, s.shopper().bought(0, "Z"), 50, "large")
		require.True(t, o == nil || o.Kind == CrossSell, "who has nothing of the category")
	}
}

// Nobody moves on to what is only bought together.
func TestBoughtTogetherIsNoMove(t *testing.T) {
	s := newShop()
	s.knows("phone", 100, "small")
	s.knows("phone", 150, "large")
	s.sold(20, []string{"small", "large"})
	require.Equal(t, CrossSell, s.offered(t, s.shopper().bought(0, "small"), 50, "large").Kind)
}
