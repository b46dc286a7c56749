package kafka

import (
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// spread says who has each of n partitions, given who has them now: owned, of
// which only what members have counts. It is a pure function, so that everybody
// who knows the group comes to the same plan. What it holds, each a theorem:
//
//   - Every partition has one owner, and no owner has two more than another.
//   - From an even plan, when a member goes, its partitions alone move. Partitions
//     without an owner go to who has least, and that keeps a plan even.
//   - From an even plan, when a member comes, partitions move to it alone, and no
//     more than its share.
//
// A function of the members alone cannot hold these at once: an even plan that
// remembers nothing moves partitions between those who stay.
//
// Between equals the hash of member and partition decides, so that a member who
// comes back is given much of what it had, and whose state it may still keep.
func spread(members []string, n int32, owned map[int32]string) map[int32]string {
	plan := make(map[int32]string, n)
	if len(members) == 0 {
		return plan
	}
	load := make(map[string]int, len(members))
	for _, m := range members {
		load[m] = 0
	}
	for p := range n {
		if m, ok := owned[p]; ok {
			if _, ok := load[m]; ok {
				plan[p] = m
				load[m]++
			}
		}
	}
	for p := range n {
		if _, ok := plan[p]; !ok {
			m := least(members, load, p)
			plan[p] = m
			load[m]++
		}
	}
	level(members, load, plan, n)
	return plan
}

// least is who has the fewest partitions; of several, whom the hash prefers for p.
func least(members []string, load map[string]int, p int32) string {
	return slices.MinFunc(members, func(a, b string) int {
		if load[a] != load[b] {
			return load[a] - load[b]
		}
		return prefer(a, b, p)
	})
}

// level moves partitions from who has most to who has least until nobody has two
// more than another.
func level(members []string, load map[string]int, plan map[int32]string, n int32) {
	for {
		poor := least(members, load, -1)
		most := load[poor]
		for _, m := range members {
			most = max(most, load[m])
		}
		if most-load[poor] <= 1 {
			return
		}
		best, bestScore := int32(-1), uint64(0)
		for p := range n {
			if load[plan[p]] != most {
				continue
			}
			if s := score(poor, p); best < 0 || s > bestScore {
				best, bestScore = p, s
			}
		}
		load[plan[best]]--
		plan[best] = poor
		load[poor]++
	}
}

// heirs says of each partition who gets it when its owner goes, and who when that
// one goes too: the first of them is the standby. deep is how many are wanted.
func heirs(members []string, n int32, owned map[int32]string, deep int) map[int32][]string {
	out := make(map[int32][]string, n)
	if deep == 0 || len(members) < 2 {
		return out
	}
	for _, gone := range members {
		left := slices.DeleteFunc(slices.Clone(members), func(m string) bool { return m == gone })
		then := spread(left, n, owned)
		next := heirs(left, n, then, deep-1)
		for p, m := range owned {
			if m == gone {
				out[p] = append([]string{then[p]}, next[p]...)
			}
		}
	}
	return out
}

// prefer orders members by the hash of member and partition, highest first.
func prefer(a, b string, p int32) int {
	switch sa, sb := score(a, p), score(b, p); {
	case sa > sb:
		return -1
	case sa < sb:
		return 1
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func score(member string, p int32) uint64 {
	return xxhash.Sum64String(strconv.Itoa(int(p)) + "\x00" + member)
}
