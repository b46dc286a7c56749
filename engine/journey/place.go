package journey

import (
	"math"

	"github.com/dangol-dev/dangol/engine/rhythm"
)

// never is an instant that does not come.
const never = math.MaxInt64

// Occasion is one purchase day: its first and its last order, Unix ms.
type Occasion struct {
	First, Last int64
}

// Facts are what the stage rests on.
type Facts struct {
	Seen      int64          // the customer's first event, Unix ms
	Folded    int            // purchase days before Occasions that are kept as sums only
	FoldedAt  int64          // instant of the last of those; 0 without any
	Occasions []Occasion     // ascending
	History   rhythm.History // of all closed gaps
	LastGap   float64        // the latest closed gap in days; 0 without one
	Referred  int64          // instant of the first referral; 0: none
	Promoted  int64          // instant of the latest NPS answer, where it is a promoter's; 0: none
}

// Milestones of a silence, in milliseconds after the last order; never where
// they do not come. They depend on the closed gaps alone, so they can be
// known in advance.
type Milestones struct {
	SecondOrder int64 // one purchase day only: no longer new
	AtRisk      int64
	Dormant     int64 // not before AtRisk
}

// Place is the customer's place at an instant.
type Place struct {
	Stage            Stage
	Level            int   // 0 before the first order, 1 one purchase day, 2 several, 3 advocate
	Since            int64 // instant since which the stage's rule has held
	SecondOrderDueBy int64 // one purchase day only; else 0
	Next             int64 // next instant at which time alone changes the stage; 0: none
}

// First are the milestones of a customer with one purchase day. They follow
// from the prior alone; compute them once for each.
func (c *Config) First(p *rhythm.Prior) Milestones {
	q := p.Fresh()
	m := Milestones{SecondOrder: reach(q, c.NewUntil), AtRisk: reach(q, c.SecondOrderAt)}
	m.Dormant = c.dormant(q, m.AtRisk)
	return m
}

// dormant is the milestone of that name.
func (c *Config) dormant(q *rhythm.Posterior, atRisk int64) int64 {
	at := int64(c.DormantDays) * rhythm.DayMS
	if s := q.SurvivalOfAlive(c.DormantAlive); s < 1 {
		at = min(at, reach(q, 1-s))
	}
	return max(at, atRisk)
}

// reach is q.Reach from 0, with never for 0.
func reach(q *rhythm.Posterior, p float64) int64 {
	if at := q.Reach(0, p); at > 0 {
		return at
	}
	return never
}

// after is an instant plus a milestone.
func after(at, milestone int64) int64 {
	if milestone == never || at > never-milestone {
		return never
	}
	return at + milestone
}

// Place says where the customer of f stands at now. first are the milestones
// of First; overdue, the silence in milliseconds at which the overdue
// percentile of q reaches its threshold p (0: never). q is the posterior of
// f.History.
func (c *Config) Place(f *Facts, prior *rhythm.Prior, q *rhythm.Posterior, first *Milestones, overdue int64, p float64, now int64) Place {
	if len(f.Occasions) == 0 {
		return Place{Stage: Prospect, Since: f.Seen}
	}
	if overdue == 0 {
		overdue = never
	}
	if f.Folded+len(f.Occasions) == 1 {
		return once(f.Occasions[0], first, now)
	}
	last := f.Occasions[len(f.Occasions)-1]
	pl := Place{Level: 2}
	if f.Referred > 0 || f.Promoted > 0 {
		pl.Level = 3
	}
	if risk := after(last.Last, overdue); now >= risk {
		pl.Stage, pl.Since = AtRisk, risk
		if dormant := after(last.Last, c.dormant(q, overdue)); now >= dormant {
			pl.Stage, pl.Since = Dormant, dormant
		} else {
			pl.Next = instant(dormant)
		}
		return pl
	}
	pl.Next = instant(after(last.Last, overdue))
	pl.Stage, pl.Since = c.standing(f, prior, first, overdue, p)
	return pl
}

// instant is 0 for never.
func instant(at int64) int64 {
	if at == never {
		return 0
	}
	return at
}

// once is the place of a customer with one purchase day.
func once(o Occasion, m *Milestones, now int64) Place {
	second, risk, dormant := after(o.Last, m.SecondOrder), after(o.Last, m.AtRisk), after(o.Last, m.Dormant)
	pl := Place{Level: 1, SecondOrderDueBy: instant(risk)}
	switch {
	case now >= dormant:
		pl.Stage, pl.Since = Dormant, dormant
	case now >= risk:
		pl.Stage, pl.Since, pl.Next = AtRisk, risk, instant(dormant)
	case now >= second:
		pl.Stage, pl.Since, pl.Next = SecondOrderDue, second, instant(risk)
	default:
		pl.Stage, pl.Since, pl.Next = New, o.First, instant(second)
	}
	return pl
}

// standing is the stage of a repeat customer who is not overdue, and since
// when. A stage reached earlier begins anew with the order that ended the
// latest silence which the present rhythm calls overdue.
func (c *Config) standing(f *Facts, prior *rhythm.Prior, first *Milestones, overdue int64, p float64) (Stage, int64) {
	last := f.Occasions[len(f.Occasions)-1]
	if c.returned(f, prior, first, p) {
		return Reactivated, last.First
	}
	since := f.occasion(2)
	for i := len(f.Occasions) - 1; i > 0; i-- {
		if f.Occasions[i].First-f.Occasions[i-1].Last >= overdue {
			since = max(since, f.Occasions[i].First)
			break
		}
	}
	switch n := f.Folded + len(f.Occasions); {
	case f.Referred > 0 || f.Promoted > 0:
		at := f.Referred
		if at == 0 || f.Promoted > 0 && f.Promoted < at {
			at = f.Promoted
		}
		return Advocate, max(since, at)
	case n >= c.RegularOrders:
		return Regular, max(since, f.occasion(c.RegularOrders))
	}
	return Repeat, since
}

// returned says whether the last order ended a silence in which the customer,
// as known before it, had become dormant.
func (c *Config) returned(f *Facts, prior *rhythm.Prior, first *Milestones, p float64) bool {
	n := len(f.Occasions)
	if n < 2 || f.LastGap <= 0 {
		return false
	}
	h := rhythm.History{
		Repeats: f.History.Repeats - 1,
		Sum:     f.History.Sum - f.LastGap,
		LnSum:   f.History.LnSum - math.Log(f.LastGap),
	}
	// Nobody is dormant within 5/4 of the average of the gaps before.
	if h.Repeats > 0 && f.LastGap*float64(h.Repeats) <= 1.25*h.Sum {
		return false
	}
	silence := f.Occasions[n-1].First - f.Occasions[n-2].Last
	if h.Repeats == 0 {
		return silence >= first.Dormant
	}
	var q rhythm.Posterior
	prior.Posterior(h, &q)
	survival := q.Survival(rhythm.Days(0, silence))
	if silence < int64(c.DormantDays)*rhythm.DayMS && q.AliveAt(survival) > c.DormantAlive {
		return false
	}
	return 1-survival >= p
}

// occasion is when the n-th purchase day began, counted from 1; for one that
// is folded, the latest instant that it may have been.
func (f *Facts) occasion(n int) int64 {
	if n <= f.Folded {
		return f.FoldedAt
	}
	return f.Occasions[n-1-f.Folded].First
}
