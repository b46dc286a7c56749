package ledger

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/dangol-dev/dangol/engine/event"
)

// Rules are what Apply must know besides the event. Every instance of an
// application uses the same Lateness and Calendar, or the bytes differ.
type Rules struct {
	Lateness int64    // ms
	Calendar Calendar // of weeks of activity and purchase days
	// Intern returns a string for a channel's name; it must not keep the bytes.
	// Nil: each ledger makes its own copy.
	Intern func([]byte) string
}

// Rules of a configuration and a calendar.
func (c *Config) Rules(cal Calendar) Rules {
	return Rules{Lateness: c.Lateness.Milliseconds(), Calendar: cal}
}

const mask48 = 1<<48 - 1

// OrderKey is the hash by which a ledger knows the order that e speaks of: the
// low 48 bits of e.OrderHash().
func OrderKey(e *event.Event) uint64 { return e.OrderHash() & mask48 }

// Apply joins an event to the facts and says what that did. The event is not
// kept, nor any memory of it. An event without a time (≤ 0) does nothing, nor
// does an item_updated, which is of no customer. It does not allocate once l's
// slices have grown.
func (l *Ledger) Apply(e *event.Event, r *Rules) Effect {
	t := e.Time
	if t <= 0 || e.Type == event.ItemUpdated {
		return Effect{}
	}
	eff := Effect{Late: t < l.Last-r.Lateness}
	if t <= l.Erased {
		return eff
	}
	before := l.Last - r.Lateness
	if l.First == 0 || t < l.First {
		l.First, eff.Changed = t, true
	}
	if t > l.Last {
		l.Last, eff.Changed = t, true
	}
	if seen>>e.Type&1 != 0 {
		l.active(e.Type, t, r, &eff)
	}
	l.join(e, r, &eff)
	if l.Last-r.Lateness > before || eff.Orders || eff.Scores {
		l.settle(before, r, &eff)
	}
	return eff
}

// join is Apply for what the event's type says.
func (l *Ledger) join(e *event.Event, r *Rules, eff *Effect) {
	t := e.Time
	switch e.Type {
	case event.ProductViewed:
		session := sessionKey(e.SessionID)
		for i := range e.Items {
			l.view(View{event.Hash(e.Items[i].ID), t, session}, eff)
		}
	case event.ProductAdded, event.ProductRemoved:
		for i := range e.Items {
			l.cart(CartLine{event.Hash(e.Items[i].ID), t, e.Type == event.ProductRemoved}, eff)
		}
	case event.OrderCompleted:
		l.place(e, r, eff)
		l.clearCart(t, eff)
	case event.OrderUpdated:
		l.revise(e, r, eff)
	case event.OrderRefunded, event.OrderCancelled:
		l.adjust(e, r, eff)
	case event.MessageSent:
		latest(&l.Sent, t, eff)
	case event.MessageOpened:
		latest(&l.Opened, t, eff)
	case event.MessageClicked:
		latest(&l.Clicked, t, eff)
	case event.SurveyAnswered:
		if t > l.SurveyTime || t == l.SurveyTime && e.Rating > l.SurveyRating {
			l.SurveyTime, l.SurveyRating = t, e.Rating
			eff.scores()
		}
	case event.ComplaintRaised:
		l.mark(Complaint, e, eff)
	case event.ComplaintResolved:
		l.mark(Resolved, e, eff)
	case event.ReferralMade:
		l.mark(Referral, e, eff)
	case event.ProductReviewed:
		l.mark(Review, e, eff)
	case event.ProductShared:
		l.mark(Share, e, eff)
	case event.ConsentUpdated:
		l.consent(Consent{e.Channel, t, e.Granted}, r, eff)
	case event.ErasureRequested:
		l.erase(t, r, eff)
	}
}

// latest is a register that keeps the latest time.
func latest(reg *int64, t int64, eff *Effect) {
	if t > *reg {
		*reg = t
		eff.scores()
	}
}

// settle lets go of what the horizon has passed. before is the horizon of the
// last time. Orders fold first: what is said of them by then must still be there.
func (l *Ledger) settle(before int64, r *Rules, eff *Effect) {
	h := l.Last - r.Lateness
	if len(l.Orders) > MaxOrders && l.foldOrders(h, r) {
		eff.orders()
	}
	if len(l.Pending) > 0 {
		l.settlePending(h, r, eff)
	}
	if len(l.Adjustments) > 0 {
		l.settleAdjustments(before, h, r, eff)
	}
	if len(l.Marks) > MaxMarks {
		l.foldMarks(h, eff)
	}
}

// channel returns a string of the ledger's own for a channel's name.
func (l *Ledger) channel(name string, r *Rules) string {
	if name == "" {
		return ""
	}
	if len(name) > MaxChannel {
		name = name[:MaxChannel]
		for !utf8.ValidString(name) && len(name) > MaxChannel-utf8.UTFMax {
			name = name[:len(name)-1]
		}
	}
	for _, s := range l.channels {
		if s == name {
			return s
		}
	}
	if r.Intern != nil {
		return l.meet(r.Intern([]byte(name)))
	}
	return l.meet(strings.Clone(name))
}

// meet remembers a channel's name for the next question.
func (l *Ledger) meet(name string) string {
	if len(l.channels) >= 16 {
		l.channels = l.channels[:0]
	}
	l.channels = append(l.channels, name)
	return name
}

// never is later than every event.
const never = math.MaxInt64
