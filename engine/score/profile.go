package score

// Profile is the shape of a customer base by relationship level, as the
// literature on service marketing draws it (a bar for each level, the first at
// the bottom): with n₁, n₂ and n₃ the customers of levels 1 to 3,
//
//	pyramid           n₁ ≥ n₂ ≥ n₃              many come, each step keeps some
//	hourglass         n₂ < n₁ and n₂ < n₃       those who come back stay, few come back
//	hexagon           n₂ > n₁ and n₂ > n₃       many come back, few are won anew, few recommend
//	inverted_pyramid  n₁ ≤ n₂ ≤ n₃ and n₁ < n₃  the loyal are many, nobody follows
//
// One of them holds, whatever the numbers; "" stands for no buyers. Level 0
// does not count: who never bought is not in the relation yet.
func Profile(levels [4]int) string {
	n1, n2, n3 := levels[1], levels[2], levels[3]
	switch {
	case n1 == 0 && n2 == 0 && n3 == 0:
		return ""
	case n1 >= n2 && n2 >= n3:
		return "pyramid"
	case n2 < n1 && n2 < n3:
		return "hourglass"
	case n2 > n1 && n2 > n3:
		return "hexagon"
	}
	return "inverted_pyramid"
}
