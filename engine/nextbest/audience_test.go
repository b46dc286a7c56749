package nextbest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
)

// town is a shop of hobbies: who has one buys things of it, in an order that many
// share, and now and then something else.
func town(customers int, seed uint64) (*shop, map[string]shopper, *Audience) {
	const hobbies, things = 12, 10
	rng := rand.New(rand.NewPCG(seed, 1))
	s := newShop()
	s.cfg.Rank = ByProbability
	audience := NewAudience(s.cfg.Audience)
	who := map[string]shopper{}
	for n := range customers {
		id := "c" + strconv.Itoa(n)
		c := s.shopper()
		hobby, thing := rng.IntN(hobbies), rng.IntN(4)
		at := 300 * rng.Float64()
		for range 1 + rng.IntN(6) {
			var ids []string
			for range 1 + rng.IntN(3) {
				if thing++; rng.IntN(6) == 0 {
					ids = append(ids, fmt.Sprint(rng.IntN(hobbies), "-", rng.IntN(things)))
				} else {
					ids = append(ids, fmt.Sprint(hobby, "-", thing%things))
				}
			}
			c.bought(at, ids...)
			for _, it := range ids {
				audience.Note(0, event.Hash(id), []byte(id), event.Hash(it), days(at))
			}
			at += 3 + 20*rng.ExpFloat64()
		}
		c.counted()
		who[id] = c
	}
	return s, who, audience
}

// Whom the index names for an item are all that are worth telling about it, nearly:
// of the twenty best of everybody, as a scan finds them, it knows eighteen.
func TestAudienceFindsTheBest(t *testing.T) {
	const now = 500.
	s, who, audience := town(400, 1)
	r := s.recommender()
	found, asked, named, itemsAsked := 0, 0, 0, 0
	for hobby := range 12 {
		for thing := range 3 {
			item := fmt.Sprint(hobby, "-", thing)
			type target struct {
				id    string
				score float64
			}
			var best []target
			for id, c := range who {
				if o, ok := r.Offer(c.Ledger, s.model, days(now), item); ok {
					best = append(best, target{id, o.Score})
				}
			}
			slices.SortFunc(best, func(a, b target) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id)) })
			best = best[:min(20, len(best))]
			index := map[string]bool{}
			audience.Who(Sources(s.counts, event.Hash(item)), func(partition int32, id string) {
				require.Zero(t, partition)
				require.False(t, index[id], "twice")
				require.Contains(t, who, id)
				index[id] = true
			})
			for _, b := range best {
				if asked++; index[b.id] {
					found++
				}
			}
			named += len(index)
			itemsAsked++
		}
	}
	require.Equal(t, 20*36, asked)
	t.Logf("found %d of %d, naming %.0f of 400", found, asked, float64(named)/float64(itemsAsked))
	require.GreaterOrEqual(t, float64(found), .9*float64(asked))
	require.Less(t, named, 350*itemsAsked, "not by naming everybody")
}

// Of each item the latest customers are remembered, each once, with the latest time.
func TestAudienceKeepsTheLatest(t *testing.T) {
	a := NewAudience(3)
	note := func(partition int32, id string, item uint64, minute int64) {
		a.Note(partition, event.Hash(id), []byte(id), item, minute*60_000)
	}
	who := func(items ...uint64) (ids []string) {
		a.Who(items, func(partition int32, id string) { ids = append(ids, fmt.Sprint(partition, id)) })
		slices.Sort(ids)
		return ids
	}
	require.Empty(t, who(1))
	note(0, "a", 1, 10)
	note(0, "b", 1, 20)
	note(1, "c", 1, 30)
	require.Equal(t, []string{"0a", "0b", "1c"}, who(1))
	note(0, "late", 1, 5)
	require.Equal(t, []string{"0a", "0b", "1c"}, who(1), "older than all that are known")
	note(0, "a", 1, 40)
	note(0, "a", 1, 1) // came late
	note(0, "d", 1, 25)
	require.Equal(t, []string{"0a", "0d", "1c"}, who(1), "b was the longest ago")
	note(0, "e", 2, 2)
	note(0, "a", 2, 1)
	require.Equal(t, []string{"0a", "0d", "0e", "1c"}, who(1, 2, 3), "each once")
	note(5, "a", 2, 3)
	require.Equal(t, []string{"0a", "0e", "5a"}, who(2), "one id in two partitions is two customers")

	a.Forget(0, event.Hash("a"))
	require.Equal(t, []string{"0e", "5a"}, who(2), "who was forgotten is in no list")
	require.Equal(t, []string{"0d", "1c"}, who(1))
	note(0, "a", 2, 50)
	require.Equal(t, []string{"0a", "0e", "5a"}, who(2), "and back again with what came after it")
	require.NotContains(t, who(1), "0a")
	a.Forget(9, event.Hash("never met"))

	none := NewAudience(0)
	none.Note(0, 1, []byte("a"), 1, 1)
	none.Who([]uint64{1}, func(int32, string) { t.Fatal("nobody is remembered") })
}

// However many customers come, those that no item points at any more go, and the
// others stay, as lists of the latest would have them.
func TestAudienceIsBounded(t *testing.T) {
	const most, things = 5, 40
	rng := rand.New(rand.NewPCG(1, 2))
	a := NewAudience(most)
	type seen struct {
		id string
		at int64
	}
	want := map[uint64][]seen{}
	minutes := rng.Perm(40_000)
	for _, minute := range minutes {
		id, item := strconv.Itoa(rng.IntN(20_000)), uint64(rng.IntN(things))
		a.Note(0, event.Hash(id), []byte(id), item, int64(minute)*60_000)
		list := want[item]
		if i := slices.IndexFunc(list, func(s seen) bool { return s.id == id }); i >= 0 {
			list[i].at = max(list[i].at, int64(minute))
		} else {
			list = append(list, seen{id, int64(minute)})
		}
		slices.SortFunc(list, func(a, b seen) int { return cmp.Compare(b.at, a.at) })
		want[item] = list[:min(most, len(list))]
	}
	for item, list := range want {
		var ids, got []string
		for _, s := range list {
			ids = append(ids, s.id)
		}
		a.Who([]uint64{item}, func(_ int32, id string) { got = append(got, id) })
		require.ElementsMatch(t, ids, got)
	}
	require.LessOrEqual(t, len(a.customers), leastRoom)
	require.Len(t, a.index, len(a.customers))
}

// Customers who were forgotten are let go with those that nothing points at, and
// nobody else is lost by it or comes back.
func TestForgottenCustomersAreLetGo(t *testing.T) {
	a := NewAudience(5)
	forgotten := map[string]bool{}
	var ids []string
	for i := range 5 * leastRoom {
		id := strconv.Itoa(i)
		ids = append(ids, id)
		a.Note(0, event.Hash(id), []byte(id), 1, int64(i)*60_000)
		if i%3 == 1 {
			a.Forget(0, event.Hash(id))
			forgotten[id] = true
		}
		var got []string
		a.Who([]uint64{1}, func(_ int32, id string) { got = append(got, id) })
		latest := func(n int) []string {
			return slices.DeleteFunc(slices.Clone(ids[max(0, len(ids)-n):]), func(id string) bool { return forgotten[id] })
		}
		require.Subset(t, got, latest(5))
		require.Subset(t, latest(8), got, "where the forgotten were, others may stay longer")
		require.Equal(t, len(got), len(slices.Compact(slices.Sorted(slices.Values(got)))), "each once")
		require.LessOrEqual(t, len(got), 5)
	}
	require.LessOrEqual(t, len(a.customers), leastRoom)
}

// Sources are the item and what leads to it, not what it leads to.
func TestSources(t *testing.T) {
	s := newShop()
	s.sold(20, []string{"A"}, []string{"B"})
	s.sold(20, []string{"B"}, []string{"C"})
	got := Sources(s.counts, event.Hash("B"))
	require.Equal(t, event.Hash("B"), got[0])
	require.Contains(t, got, event.Hash("A"))
	require.NotContains(t, got, event.Hash("C"))
	require.Equal(t, []uint64{event.Hash("unknown")}, Sources(s.counts, event.Hash("unknown")))
	for i := range 100 {
		s.sold(5, []string{strconv.Itoa(i)}, []string{"B"})
	}
	got = Sources(s.counts, event.Hash("B"))
	require.Len(t, got, 1+mostSources)
	require.Equal(t, len(got), len(slices.Compact(slices.Sorted(slices.Values(got)))), "each once")
}
