package score

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestProfile(t *testing.T) {
	for levels, want := range map[[4]int]string{
		{}: "", {9, 0, 0, 0}: "",
		{0, 5, 3, 1}: "pyramid", {7, 2, 2, 2}: "pyramid", {0, 1, 0, 0}: "pyramid", {0, 2, 2, 1}: "pyramid",
		{0, 5, 1, 3}: "hourglass", {0, 2, 1, 5}: "hourglass", {0, 1, 0, 1}: "hourglass",
		{0, 1, 5, 2}: "hexagon", {0, 0, 1, 0}: "hexagon",
		{0, 1, 3, 5}: "inverted_pyramid", {0, 0, 0, 1}: "inverted_pyramid", {0, 1, 1, 2}: "inverted_pyramid", {0, 1, 2, 2}: "inverted_pyramid",
	} {
		require.Equal(t, want, Profile(levels), "%v", levels)
	}
}

// Each shape's own rule, and no other's, holds for what is called so.
func TestEveryBaseHasOneProfile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SliceOfN(rapid.IntRange(0, 4), 4, 4).Draw(t, "levels")
		var held []string
		for shape, holds := range map[string]bool{
			"":                 n[1]+n[2]+n[3] == 0,
			"pyramid":          n[1]+n[2]+n[3] > 0 && n[1] >= n[2] && n[2] >= n[3],
			"hourglass":        n[2] < n[1] && n[2] < n[3],
			"hexagon":          n[2] > n[1] && n[2] > n[3],
			"inverted_pyramid": n[1] <= n[2] && n[2] <= n[3] && n[3] > n[1],
		} {
			if holds {
				held = append(held, shape)
			}
		}
		require.Equal(t, []string{Profile([4]int(n))}, held)
	})
}
