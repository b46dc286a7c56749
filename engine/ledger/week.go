package ledger

import (
	"math/bits"

	"github.com/dangol-dev/dangol/engine/event"
)

// seen are the types that show the customer's presence: its own acts, not what
// the shop or the mail server did.
const seen uint32 = 1<<event.PageViewed | 1<<event.ProductsSearched | 1<<event.ProductViewed |
	1<<event.ProductRemoved | 1<<event.OrderCompleted | 1<<event.CouponApplied | 1<<event.ProductReviewed |
	1<<event.ProductShared | 1<<event.ReferralMade | 1<<event.SurveyAnswered | 1<<event.ComplaintRaised |
	1<<event.ConsentUpdated | 1<<event.Identified | 1<<event.Aliased | carted | engaged

// carted are those that show an intention to buy, engaged those that show that
// messages are read.
const (
	carted  uint32 = 1<<event.ProductAdded | 1<<event.CartViewed | 1<<event.CheckoutStarted
	engaged uint32 = 1<<event.MessageOpened | 1<<event.MessageClicked
)

// active marks the week of t as one in which the customer was seen, by an event
// of a type. The week of an erasure, before and after it, does not count: a bit
// cannot tell the two apart.
func (l *Ledger) active(typ event.Type, t int64, r *Rules, eff *Effect) {
	week := Week(r.Calendar.Day(t))
	if l.Erased != 0 && week <= Week(r.Calendar.Day(l.Erased)) {
		return
	}
	if l.Visited == 0 {
		l.Week = week
	}
	if later := week - l.Week; later > 0 {
		l.Visited, l.Carted, l.Engaged, l.Week = l.Visited<<uint(later), l.Carted<<uint(later), l.Engaged<<uint(later), week
	}
	ago := uint(l.Week - week)
	if ago >= ActiveWeeks {
		return
	}
	visited := l.Visited | 1<<ago
	cart := l.Carted | uint64(carted>>typ&1)<<ago
	engage := l.Engaged | uint64(engaged>>typ&1)<<ago
	if visited != l.Visited || cart != l.Carted || engage != l.Engaged {
		l.Visited, l.Carted, l.Engaged = visited, cart, engage
		eff.Changed, eff.Week = true, true
	}
}

// eraseWeeks clears the bits up to a week.
func (l *Ledger) eraseWeeks(week int32) {
	if keep := l.Week - week; keep <= 0 {
		l.Visited = 0
	} else if keep < ActiveWeeks {
		l.Visited &= 1<<uint(keep) - 1
	}
	l.anchor()
}

// weeksUpTo takes the weeks of activity up to a week from l.
func (dst *Ledger) weeksUpTo(l *Ledger, week int32) {
	dst.Week, dst.Visited, dst.Carted, dst.Engaged = l.Week, l.Visited, l.Carted, l.Engaged
	if later := l.Week - week; later > 0 {
		dst.shift(uint(later))
	}
	dst.anchor()
}

// anchor makes bit 0 the latest week in Visited, and the others parts of it.
func (l *Ledger) anchor() {
	l.Carted &= l.Visited
	l.Engaged &= l.Visited
	if l.Visited == 0 {
		l.Week = 0
		return
	}
	l.shift(uint(bits.TrailingZeros64(l.Visited)))
}

// shift drops the latest weeks.
func (l *Ledger) shift(weeks uint) {
	l.Visited, l.Carted, l.Engaged = l.Visited>>weeks, l.Carted>>weeks, l.Engaged>>weeks
	l.Week -= int32(weeks)
}
