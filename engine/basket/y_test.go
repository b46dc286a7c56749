package basket_test
import ("testing";"fmt";"time";"github.com/dangol-dev/dangol/engine/basket")
func TestY(t *testing.T) {
	cfg := basket.DefaultConfig()
	cfg.HalfLife = 30 * 24 * time.Hour
	for _, per := range []int{200, 600, 3000} {
		var still, lostSteady, n [16]int
		for seed := range uint64(40) {
			c := basket.New(cfg)
			habits(c, seed, 0, 6, 6, cfg.HalfLife, per)
			for i := range 16 {
				at := 6 + float64(i)*.25
				n[i]++
				if c.Holds(0, 1, 2) { still[i]++ }
				if !c.Holds(0, 3, 4) { lostSteady[i]++ }
				habits(c, seed+100*uint64(at*4), at, at+.25, 6, cfg.HalfLife, per)
			}
		}
		fmt.Println(per, "still holds", still, "steady lost", lostSteady)
	}
}
