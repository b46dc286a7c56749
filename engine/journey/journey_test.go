package journey

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/rhythm"
)

const (
	day   = rhythm.DayMS
	start = 1_760_000_000_000
	at90  = 0.9
)

// customer orders at noon, the gaps in days given.
func customer(gaps ...int64) *Facts {
	f := &Facts{Seen: start - day}
	at := int64(start)
	f.Occasions = append(f.Occasions, Occasion{at, at})
	for _, g := range gaps {
		at += g * day
		f.Occasions = append(f.Occasions, Occasion{at, at})
		f.History.Repeats++
		f.History.Sum += float64(g)
		f.History.LnSum += math.Log(float64(g))
		f.LastGap = float64(g)
	}
	return f
}

func (f *Facts) end() int64 { return f.Occasions[len(f.Occasions)-1].Last }

func place(f *Facts, now int64) Place {
	cfg, prior := DefaultConfig(), rhythm.Default()
	first := cfg.First(prior)
	var q rhythm.Posterior
	prior.Posterior(f.History, &q)
	return cfg.Place(f, prior, &q, &first, q.Reach(0, at90), at90, now)
}

func TestProspect(t *testing.T) {
	f := &Facts{Seen: start}
	require.Equal(t, Place{Stage: Prospect, Since: start}, place(f, start+day))
}

// A first-time buyer is new for a month, then the second order is due, and
// after four months without it the customer is at risk.
func TestOneOrder(t *testing.T) {
	f := customer()
	due := place(f, start).SecondOrderDueBy
	require.InDelta(t, 122, float64(due-start)/day, 3)
	for _, c := range []struct {
		days  int64
		stage Stage
	}{{0, New}, {25, New}, {40, SecondOrderDue}, {110, SecondOrderDue}, {125, AtRisk}, {364, AtRisk}, {365, Dormant}, {5000, Dormant}} {
		got := place(f, start+c.days*day)
		require.Equal(t, c.stage, got.Stage, "day %d", c.days)
		require.Equal(t, due, got.SecondOrderDueBy)
		require.Equal(t, 1, got.Level)
		require.LessOrEqual(t, got.Since, start+c.days*day)
	}
	require.Equal(t, int64(start+365*day), place(f, start+400*day).Since)
	require.Zero(t, place(f, start+400*day).Next)
}

// Ten orders three weeks apart: a regular since the fourth; at risk in the
// fifth week of silence; the order that ends half a year of it reactivates.
func TestRegularLeavesAndReturns(t *testing.T) {
	weeks := []int64{21, 21, 21, 21, 21, 21, 21, 21, 21}
	f := customer(weeks...)
	got := place(f, f.end()+10*day)
	require.Equal(t, Regular, got.Stage)
	require.Equal(t, 2, got.Level)
	require.Equal(t, f.Occasions[3].First, got.Since)
	require.Zero(t, got.SecondOrderDueBy)
	risk := got.Next
	require.Less(t, risk, f.end()+35*day)
	require.Equal(t, AtRisk, place(f, risk).Stage)
	require.Equal(t, risk, place(f, risk+day/2).Since)
	require.Equal(t, Dormant, place(f, f.end()+100*day).Stage)

	f = customer(append(weeks, 180)...)
	got = place(f, f.end()+day)
	require.Equal(t, Reactivated, got.Stage)
	require.Equal(t, f.end(), got.Since)

	f = customer(append(weeks, 180, 21)...)
	got = place(f, f.end()+day)
	require.Equal(t, Regular, got.Stage)
	require.Equal(t, f.Occasions[10].First, got.Since, "since the order that ended the silence")
}

func TestRepeatAndAdvocate(t *testing.T) {
	f := customer(30, 25)
	require.Equal(t, Repeat, place(f, f.end()).Stage)
	require.Equal(t, f.Occasions[1].First, place(f, f.end()).Since)
	f.Referred = f.end() + day
	got := place(f, f.end()+2*day)
	require.Equal(t, Advocate, got.Stage)
	require.Equal(t, 3, got.Level)
	require.Equal(t, f.Referred, got.Since)
	f.Promoted = f.end() + 3*day/2
	require.Equal(t, f.Referred, place(f, f.end()+2*day).Since)
	require.Equal(t, 3, place(f, f.end()+3000*day).Level)
	require.Equal(t, Dormant, place(f, f.end()+3000*day).Stage)
	f = customer()
	f.Referred = start
	require.Equal(t, New, place(f, start).Stage)
	require.Equal(t, 1, place(f, start).Level)
}

// A second order after two years is a return, one after two months is not.
func TestSecondOrderAfterDormancy(t *testing.T) {
	require.Equal(t, Reactivated, place(customer(700), start+701*day).Stage)
	require.Equal(t, Repeat, place(customer(60), start+61*day).Stage)
}

// Next is the millisecond at which the stage changes; until then stage and
// since stand still, and where time changed the stage, since is that instant.
func TestNextIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := customer(rapid.SliceOfN(rapid.Int64Range(1, 500), 0, 8).Draw(t, "gaps")...)
		if rapid.Bool().Draw(t, "referred") {
			f.Referred = start
		}
		now := f.end() + rapid.Int64Range(0, 100*day).Draw(t, "silence")
		for range 6 {
			p := place(f, now)
			require.LessOrEqual(t, p.Since, now)
			if p.Next == 0 {
				q := place(f, now+30000*day)
				require.Equal(t, p, q)
				return
			}
			require.Greater(t, p.Next, now)
			require.Equal(t, p, place(f, p.Next-1))
			require.Equal(t, p, place(f, now+(p.Next-now)/2))
			q := place(f, p.Next)
			require.NotEqual(t, p.Stage, q.Stage)
			require.Equal(t, p.Next, q.Since)
			now = p.Next
		}
		t.Fatal("more than six stages without an order")
	})
}

func TestStageNames(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Stages() {
		seen[s.String()] = true
	}
	require.Len(t, seen, 9)
	require.Equal(t, "stage(0)", Stage(0).String())
	require.Equal(t, "stage(99)", Stage(99).String())
}

func TestConfigReportsEveryFault(t *testing.T) {
	good := DefaultConfig()
	require.NoError(t, good.Validate())
	bad := Config{RegularOrders: 1, NewUntil: math.NaN(), SecondOrderAt: 2, DormantAlive: 0.9, PromoterRating: 12}
	for _, want := range []string{"regular_orders: 1", "new_until: NaN", "second_order_at: 2", "dormant_days: 0", "dormant_alive: 0.9", "promoter_rating: 12"} {
		require.ErrorContains(t, bad.Validate(), want)
	}
}
