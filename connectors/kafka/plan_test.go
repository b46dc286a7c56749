package kafka

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// group draws members and a plan that came about by their coming and going.
func group(t *rapid.T) (members []string, n int32, plan map[int32]string) {
	n = rapid.Int32Range(1, 40).Draw(t, "partitions")
	plan = map[int32]string{}
	for range rapid.IntRange(1, 8).Draw(t, "changes") {
		m := fmt.Sprintf("app-%d", rapid.IntRange(0, 9).Draw(t, "member"))
		if i := slices.Index(members, m); i < 0 {
			members = append(members, m)
		} else if len(members) > 1 {
			members = slices.Delete(members, i, i+1)
		}
		slices.Sort(members)
		plan = spread(members, n, plan)
	}
	return members, n, plan
}

func requireEven(t *rapid.T, members []string, n int32, plan map[int32]string) {
	require.Len(t, plan, int(n), "every partition has an owner")
	load := map[string]int{}
	for _, m := range plan {
		require.Contains(t, members, m)
		load[m]++
	}
	for _, m := range members {
		require.GreaterOrEqual(t, load[m], int(n)/len(members), "%s has its share", m)
		require.LessOrEqual(t, load[m], (int(n)+len(members)-1)/len(members), "%s has no more than its share", m)
	}
}

// Whatever members claim, a plan is complete and even, and the same in whatever
// order the members are listed.
func TestSpreadIsEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int32Range(1, 40).Draw(t, "partitions")
		members := rapid.SliceOfNDistinct(rapid.StringMatching(`app-[a-z0-9]{1,3}`), 1, 12, rapid.ID).Draw(t, "members")
		owned := rapid.MapOf(rapid.Int32Range(0, n+2), rapid.SampledFrom(append(members, "gone"))).Draw(t, "owned")
		plan := spread(members, n, owned)
		requireEven(t, members, n, plan)
		require.Equal(t, plan, spread(rapid.Permutation(members).Draw(t, "order"), n, owned))
	})
}

// When one goes, its partitions go to their standbys, and no other moves; when
// the standby goes next, they go to the second one.
func TestPartitionsGoToTheirStandbys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, n, plan := group(t)
		standbys := heirs(members, n, plan, 2)
		for p := range n {
			require.Len(t, standbys[p], min(2, len(members)-1))
			require.NotContains(t, standbys[p], plan[p])
		}
		for depth := 0; depth < 2 && len(members) > 1; depth++ {
			gone := rapid.SampledFrom(members).Draw(t, "gone")
			left := slices.DeleteFunc(slices.Clone(members), func(m string) bool { return m == gone })
			then := spread(left, n, plan)
			requireEven(t, left, n, then)
			for p := range n {
				if plan[p] != gone {
					require.Equal(t, plan[p], then[p], "%s keeps partition %d", plan[p], p)
					continue
				}
				require.Equal(t, standbys[p][0], then[p], "partition %d goes to its standby", p)
				if second := heirs(left, n, then, 1)[p]; len(left) > 1 {
					require.Equal(t, standbys[p][1], second[0], "whose own standby is the second one")
				}
			}
			members, plan = left, then
			standbys = heirs(members, n, plan, 2)
		}
	})
}

// Who comes gets its share, and nobody else gets anything.
func TestPartitionsMoveToTheNewMemberAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, n, plan := group(t)
		with := append(slices.Clone(members), "app-new")
		then := spread(with, n, plan)
		requireEven(t, with, n, then)
		moved := 0
		for p := range n {
			if then[p] != plan[p] {
				require.Equal(t, "app-new", then[p])
				moved++
			}
		}
		require.LessOrEqual(t, moved, int(n)/len(with), "no more than its share, rounded down")
	})
}
