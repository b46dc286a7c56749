package basket_test

import (
	"bufio"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
)

// plain counts without decay and with room for everything.
func plain() basket.Config {
	cfg := basket.DefaultConfig()
	cfg.HalfLife, cfg.Neighbours, cfg.Triples, cfg.MinCount = 0, 1<<16, 1<<22, 1
	return cfg
}

func dataFile(t testing.TB, parts ...string) string {
	dir := os.Getenv("DANGOL_DATA")
	if dir == "" {
		t.Skip("DANGOL_DATA is not set")
	}
	return filepath.Join(append([]string{dir}, parts...)...)
}

// breadBasket are the transactions of the data set, without NONE.
func breadBasket(t testing.TB) [][]uint64 {
	f, err := os.Open(dataFile(t, "breadbasket", "BreadBasket_DMS.csv"))
	require.NoError(t, err)
	defer f.Close()
	names, order := map[string][]string{}, []string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		cells := strings.Split(lines.Text(), ",")
		require.Len(t, cells, 4)
		if cells[3] == "NONE" {
			continue
		}
		if names[cells[2]] == nil {
			order = append(order, cells[2])
		}
		names[cells[2]] = append(names[cells[2]], cells[3])
	}
	var baskets [][]uint64
	for _, id := range order {
		baskets = append(baskets, items(names[id]...))
	}
	return baskets
}

func groceries(t testing.TB) [][]uint64 {
	f, err := os.Open(dataFile(t, "groceries", "groceries.csv"))
	require.NoError(t, err)
	defer f.Close()
	var baskets [][]uint64
	for s := bufio.NewScanner(f); s.Scan(); {
		baskets = append(baskets, items(strings.Split(s.Text(), ",")...))
	}
	return baskets
}

// items are the sorted, distinct hashes of names.
func items(names ...string) []uint64 {
	var hs []uint64
	for _, n := range names {
		hs = append(hs, event.Hash(strings.TrimSpace(n)))
	}
	slices.Sort(hs)
	return slices.Compact(hs)
}

func add(c *basket.Counts, sign int, baskets ...[]uint64) {
	for i, b := range baskets {
		c.Apply(&basket.Row{Kind: basket.SameOrder, At: int64(1 + i), To: b}, sign)
	}
}

func count(c *basket.Counts, support, confidence float64) (basket.Frequent, int) {
	n := 0
	found := c.Rules(support, confidence, func(*basket.Rule) { n++ })
	return found, n
}

// ways are ways to the same counts.
func ways(baskets [][]uint64, others string) map[string]func(*basket.Counts) {
	half := len(baskets) / 2
	return map[string]func(*basket.Counts){
		"in the file's order": func(c *basket.Counts) { add(c, 1, baskets...) },
		"shuffled": func(c *basket.Counts) {
			mixed := slices.Clone(baskets)
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			add(c, 1, mixed...)
		},
		"after 1,000 more came and were refunded": func(c *basket.Counts) {
			var more [][]uint64
			for i := range 1000 {
				more = append(more, items(append(strings.Split(others, ","), "extra "+string(rune('a'+i%26)))...))
			}
			add(c, -1, more[:300]...) // before they were added
			add(c, 1, baskets[:half]...)
			add(c, 1, more...)
			add(c, 1, baskets[half:]...)
			add(c, -1, more[300:]...)
		},
	}
}

func TestBreadBasket(t *testing.T) {
	for name, change := range ways(breadBasket(t), "Coffee,Bread,Tea") {
		t.Run(name, func(t *testing.T) {
			c := basket.New(plain())
			change(c)
			require.Equal(t, 9465., c.Orders(), "9,531 less those of nothing but NONE")
			found, _ := count(c, .01, 0)
			require.Equal(t, basket.Frequent{Items: 30, Pairs: 28, Triples: 3}, found)
		})
	}
}

func TestGroceries(t *testing.T) {
	for name, change := range ways(groceries(t), "whole milk,curd,yogurt") {
		t.Run(name, func(t *testing.T) {
			c := basket.New(plain())
			change(c)
			found, rules := count(c, .01, 0)
			require.Equal(t, basket.Frequent{Items: 88, Pairs: 213, Triples: 32}, found)
			require.Equal(t, 522, rules)
			_, rules = count(c, .01, .25)
			require.Equal(t, 170, rules)
			_, rules = count(c, .01, .5)
			require.Equal(t, 15, rules)
			found, rules = count(c, .001, 0)
			require.Equal(t, basket.Frequent{Items: 157, Pairs: 2981, Triples: 6831}, found)
			require.Equal(t, 26455, rules)
			require.Zero(t, c.LostPairs(basket.SameOrder)+c.LostTriples())
			for _, row := range []struct {
				left                      string
				then                      string
				support, confidence, lift float64
			}{
				{"whole milk,yogurt", "curd", .010066, .179673, 3.372304},
				{"citrus fruit,other vegetables", "root vegetables", .010371, .359155, 3.295045},
				{"citrus fruit,root vegetables", "other vegetables", .010371, .586207, 3.029608},
				{"beef", "root vegetables", .017387, .331395, 3.040367},
				{"Instant food products,soda", "hamburger meat", .001220, .631579, 18.995654},
			} {
				var got *basket.Rule
				want := items(strings.Split(row.left, ",")...)
				c.Rules(.001, 0, func(r *basket.Rule) {
					left := slices.Sorted(slices.Values(r.If))
					if slices.Equal(left, want) && r.Then == event.Hash(row.then) {
						copied := *r
						got = &copied
					}
				})
				require.NotNil(t, got, row.left)
				require.InDelta(t, row.support, got.Support(), 5e-7, row.left)
				require.InDelta(t, row.confidence, got.Confidence(), 5e-7, row.left)
				require.InDelta(t, row.lift, got.Lift(), 5e-7, row.left)
			}
		})
	}
}
