package basket

import (
	"bufio"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/stretchr/testify/require"
)

func sorted(items []uint64) []uint64 {
	slices.Sort(items)
	return slices.Compact(items)
}

// random draws n baskets of up to size items out of a catalogue in which the
// first are the most bought.
func random(n, size, catalogue int, seed uint64) [][]uint64 {
	rnd := rand.New(rand.NewPCG(seed, 0))
	all := make([][]uint64, n)
	for i := range all {
		b := make([]uint64, size)
		for k := range b {
			b[k] = uint64(float64(catalogue)*rnd.Float64()*rnd.Float64()) + 1
		}
		all[i] = sorted(b)
	}
	return all
}

// groceries reads the baskets of the Groceries data set.
func groceries(t *testing.T) [][]uint64 {
	dir := os.Getenv("DANGOL_DATA")
	if dir == "" {
		t.Skip("DANGOL_DATA is not set: groceries/groceries.csv is needed")
	}
	f, err := os.Open(filepath.Join(dir, "groceries", "groceries.csv"))
	require.NoError(t, err)
	defer f.Close()
	var all [][]uint64
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var b []uint64
		for name := range strings.SplitSeq(sc.Text(), ",") {
			b = append(b, event.Hash(strings.TrimSpace(name)))
		}
		all = append(all, sorted(b))
	}
	return all
}

// The published figures of Groceries, whatever the order of the baskets and
// whatever came and went between them.
func TestGroceries(t *testing.T) {
	all := groceries(t)
	t.Run("as they are", func(t *testing.T) {
		c := New(DefaultConfig())
		for _, b := range all {
			c.Add(b)
		}
		requireGroceries(t, c)
	})
	t.Run("shuffled, with a thousand others come and gone", func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(7, 7))
		c := New(DefaultConfig())
		others := random(1000, 12, 300, 3)
		for i := range others { // half of them of real items
			if i%2 == 0 {
				others[i] = sorted(slices.Concat(all[rnd.IntN(len(all))], all[rnd.IntN(len(all))]))
			}
		}
		type step struct {
			items []uint64
			sign  int
		}
		var steps []step
		for _, b := range all {
			steps = append(steps, step{b, 1})
		}
		for _, b := range others {
			steps = append(steps, step{b, 1}, step{b, -1})
		}
		rnd.Shuffle(len(steps), func(i, k int) { steps[i], steps[k] = steps[k], steps[i] })
		for _, s := range steps {
			c.Apply(s.items, s.sign)
		}
		requireGroceries(t, c)
	})
}

func requireGroceries(t *testing.T, c *Counts) {
	t.Helper()
	require.Equal(t, 9835, c.Orders())
	items, lines, often := 0, 0, 0
	c.EachItem(func(_ uint64, n int) {
		items++
		lines += n
		if n >= 99 {
			often++
		}
	})
	require.Equal(t, 169, items)
	require.Equal(t, 43_367, lines)
	require.Equal(t, 88, often)
	for name, n := range map[string]int{
		"whole milk": 2513, "other vegetables": 1903, "rolls/buns": 1809, "soda": 1715, "yogurt": 1372,
	} {
		require.Equal(t, n, c.Count(event.Hash(name)), name)
	}
	require.Equal(t, 736, c.Pair(event.Hash("other vegetables"), event.Hash("whole milk")))
	at99, at10 := 0, 0
	c.EachPair(func(_, _ uint64, n int) {
		if n >= 99 {
			at99++
		}
		if n >= 10 {
			at10++
		}
	})
	require.Equal(t, 213, at99)
	require.Equal(t, 2981, at10)
	found := c.Exact(event.Hash("beef"), 100, nil)
	i := slices.IndexFunc(found, func(n Neighbour) bool { return n.Item == event.Hash("root vegetables") })
	require.NotEqual(t, -1, i)
	require.InDelta(t, .017387, found[i].Support, 5e-7)
	require.InDelta(t, .331395, found[i].Confidence, 5e-7)
	require.InDelta(t, 3.040367, found[i].Lift, 5e-7)
}
