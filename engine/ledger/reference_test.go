package ledger

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/dangol-dev/dangol/engine/event"
)

// reference computes the facts of a set of events the plain way: all events at
// hand, sorted, one definition after the other, nothing incremental.
func reference(events []event.Event, r *Rules) *Ledger {
	l := &Ledger{}
	events = slices.DeleteFunc(slices.Clone(events), func(e event.Event) bool { return e.Type == event.ItemUpdated })
	for _, e := range events {
		if e.Type == event.ErasureRequested {
			l.Erased = max(l.Erased, e.Time)
		}
		l.Last = max(l.Last, e.Time)
	}
	events = slices.DeleteFunc(events, func(e event.Event) bool { return e.Time <= l.Erased })
	slices.SortStableFunc(events, func(a, b event.Event) int { return cmp.Compare(a.Time, b.Time) })
	if l.First = l.Erased; l.First == 0 && len(events) > 0 {
		l.First = events[0].Time
	}
	refRegisters(l, events, r)
	refItems(l, events)
	refMarks(l, events, r)
	refConsents(l, events)
	refOrders(l, events, r)
	return l
}

func refRegisters(l *Ledger, events []event.Event, r *Rules) {
	for _, e := range events {
		switch e.Type {
		case event.MessageSent:
			l.Sent = e.Time
		case event.MessageOpened:
			l.Opened = e.Time
		case event.MessageClicked:
			l.Clicked = e.Time
		case event.OrderCompleted:
			l.CartCleared = e.Time
		case event.SurveyAnswered:
			if e.Time > l.SurveyTime {
				l.SurveyRating = e.Rating
			}
			l.SurveyTime, l.SurveyRating = e.Time, max(l.SurveyRating, e.Rating)
		}
	}
	refWeeks(l, events, r)
}

func refItems(l *Ledger, events []event.Event) {
	cart := map[uint64]CartLine{}
	var views []View
	for _, e := range events {
		for _, it := range e.Items {
			item := event.Hash(it.ID)
			switch e.Type {
			case event.ProductViewed:
				v := View{Item: item, Time: e.Time}
				if e.SessionID != "" {
					v.Session = uint32(event.Hash(e.SessionID))
				}
				views = append(views, v)
			case event.ProductAdded, event.ProductRemoved:
				removed := e.Type == event.ProductRemoved || cart[item].Time == e.Time && cart[item].Removed
				if e.Time > l.CartCleared {
					cart[item] = CartLine{item, e.Time, removed}
				}
			}
		}
	}
	slices.SortFunc(views, func(a, b View) int {
		return -cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Session, b.Session))
	})
	views = slices.CompactFunc(views, func(a, b View) bool { return a.Time == b.Time && a.Item == b.Item })
	l.Views = views[:min(16, len(views))]
	slices.Reverse(l.Views)
	for _, c := range cart {
		l.Cart = append(l.Cart, c)
	}
	slices.SortFunc(l.Cart, func(a, b CartLine) int { return -cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Item, b.Item)) })
	l.Cart = l.Cart[:min(MaxCart, len(l.Cart))]
	slices.SortFunc(l.Cart, func(a, b CartLine) int { return cmp.Compare(a.Item, b.Item) })
}

func refMarks(l *Ledger, events []event.Event, r *Rules) {
	kinds := map[event.Type]MarkKind{
		event.ComplaintRaised: Complaint, event.ComplaintResolved: Resolved, event.ReferralMade: Referral,
		event.ProductReviewed: Review, event.ProductShared: Share,
	}
	for _, e := range events {
		if kind := kinds[e.Type]; kind != 0 {
			l.Marks = append(l.Marks, Mark{kind, e.Time, uint32(e.IDHash())})
		}
	}
	slices.SortFunc(l.Marks, func(a, b Mark) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Hash, b.Hash))
	})
	l.Marks = slices.Compact(l.Marks)
	for len(l.Marks) > 32 && l.Marks[32].Time < l.Last-r.Lateness {
		l.MarkFold[l.Marks[0].Kind]++
		l.Marks = l.Marks[1:]
	}
}

func refConsents(l *Ledger, events []event.Event) {
	for _, e := range events {
		if e.Type != event.ConsentUpdated {
			continue
		}
		c := Consent{e.Channel[:min(64, len(e.Channel))], e.Time, e.Granted}
		i := slices.IndexFunc(l.Consents, func(x Consent) bool { return x.Channel == c.Channel })
		if i < 0 {
			l.Consents = append(l.Consents, c)
		} else if l.Consents[i].Time < c.Time || !c.Granted {
			l.Consents[i] = c
		}
	}
	slices.SortFunc(l.Consents, func(a, b Consent) int {
		return -cmp.Or(cmp.Compare(a.Time, b.Time), strings.Compare(a.Channel, b.Channel))
	})
	l.Consents = l.Consents[:min(8, len(l.Consents))]
	slices.SortFunc(l.Consents, func(a, b Consent) int { return strings.Compare(a.Channel, b.Channel) })
}

// refOrder is an order with all that was said of it.
type refOrder struct {
	key       uint64
	placings  []Order // ascending; the first is the order
	updates   []Order // ascending
	adjusting []Adjustment
}

func refStatement(e *event.Event) Order {
	o := Order{Hash: OrderKey(e), Amount: e.Amount, Discount: e.Discount, Channel: e.Channel[:min(64, len(e.Channel))]}
	for _, it := range e.Items {
		o.Items = append(o.Items, event.Hash(it.ID))
	}
	o.Coupon = e.Coupon != ""
	o.Costed = len(e.Items) > 0
	for _, it := range e.Items {
		o.Costed = o.Costed && it.HasCost
	}
	for _, it := range e.Items {
		if o.Costed { // the worlds' costs and quantities keep this exact
			o.Cost += it.Cost * it.Quantity / event.One
		}
	}
	slices.Sort(o.Items)
	o.Items = slices.Compact(o.Items)
	o.Items = o.Items[:min(64, len(o.Items))]
	if o.Placed = e.Time; e.Type == event.OrderUpdated {
		o.Placed, o.Revised = 0, e.Time
	}
	return o
}

// refOrders follows the definitions of the package comment: orders in the order
// of their placing, each with its instant F; what is said of a hash up to F is
// said of that order, and what is said later of the next one of that hash.
func refOrders(l *Ledger, events []event.Event, r *Rules) {
	h := l.Last - r.Lateness
	said := map[uint64]*refOrder{}
	get := func(key uint64) *refOrder {
		if said[key] == nil {
			said[key] = &refOrder{key: key}
		}
		return said[key]
	}
	for i := range events {
		switch e := &events[i]; e.Type {
		case event.OrderCompleted:
			o := get(OrderKey(e))
			o.placings = append(o.placings, refStatement(e))
		case event.OrderUpdated:
			o := get(OrderKey(e))
			o.updates = append(o.updates, refStatement(e))
		case event.OrderRefunded, event.OrderCancelled:
			a := Adjustment{OrderKey(e), e.IDHash() & mask48, e.Time, Cancelled, 0}
			if e.HasAmount {
				a.Amount = e.Amount
			}
			if e.Type == event.OrderRefunded {
				a.Kind = Refunded
				if !e.HasAmount {
					a.Kind = RefundedWholly
				}
			}
			o := get(a.Order)
			o.adjusting = append(o.adjusting, a)
		}
	}
	for _, o := range said {
		slices.SortFunc(o.placings, func(a, b Order) int { return cmp.Or(cmp.Compare(a.Placed, b.Placed), compareContent(&a, &b)) })
		o.placings = slices.CompactFunc(o.placings, func(a, b Order) bool { return a.Placed == b.Placed })
		slices.SortFunc(o.updates, func(a, b Order) int { return cmp.Or(cmp.Compare(a.Revised, b.Revised), -compareContent(&a, &b)) })
		o.updates = slices.CompactFunc(o.updates, func(a, b Order) bool { return a.Revised == b.Revised })
		slices.SortFunc(o.adjusting, func(a, b Adjustment) int {
			return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Amount, b.Amount))
		})
		o.adjusting = slices.Compact(o.adjusting)
	}
	var v []*refOrder
	for _, o := range said {
		if len(o.placings) > 0 {
			v = append(v, o)
		}
	}
	for {
		slices.SortFunc(v, func(a, b *refOrder) int {
			return cmp.Or(cmp.Compare(a.placings[0].Placed, b.placings[0].Placed), cmp.Compare(a.key, b.key))
		})
		if len(v) <= 256 {
			break
		}
		f := max(v[256].placings[0].Placed, v[0].placings[0].Placed+r.Lateness)
		if f >= h {
			break
		}
		refFold(l, v[0], f, r)
		if len(v[0].placings) == 0 {
			v = v[1:]
		}
	}
	var orphans []Adjustment
	for _, o := range said {
		at := int64(math.MaxInt64)
		if len(o.placings) > 0 {
			at = o.placings[0].Placed
			order := o.placings[0]
			for _, u := range o.updates {
				if u.Revised < h && at < h && at <= u.Revised+r.Lateness {
					order = u
					order.Placed = at
				}
			}
			l.Orders = append(l.Orders, order)
			for _, p := range o.placings[1:] {
				if p.Placed >= h {
					l.Pending = append(l.Pending, p)
				}
			}
		}
		for _, u := range o.updates {
			mine := at != math.MaxInt64 && at <= u.Revised+r.Lateness
			if mine && (u.Revised >= h || at >= h) || !mine && u.Revised+r.Lateness >= h {
				l.Pending = append(l.Pending, u)
			}
		}
		counted := map[uint64]bool{}
		for _, a := range o.adjusting {
			switch mine := at != math.MaxInt64 && at <= a.Time+r.Lateness; {
			case mine && (!counted[a.Event] || a.Time >= h):
				counted[a.Event] = true
				l.Adjustments = append(l.Adjustments, a)
			case !mine && a.Time+r.Lateness >= h:
				l.Adjustments = append(l.Adjustments, a)
			case !mine:
				orphans = append(orphans, a)
			}
		}
	}
	slices.SortFunc(orphans, func(a, b Adjustment) int { return cmp.Or(cmp.Compare(a.Time, b.Time), compareAdjustments(a, b)) })
	for ; len(orphans) > 64; orphans = orphans[1:] {
		l.Fold.Orphans++
		l.Fold.Returned += orphans[0].Amount
	}
	l.Adjustments = append(l.Adjustments, orphans...)
	slices.SortFunc(l.Adjustments, compareAdjustments)
	slices.SortFunc(l.Orders, func(a, b Order) int { return cmp.Or(cmp.Compare(a.Placed, b.Placed), cmp.Compare(a.Hash, b.Hash)) })
	slices.SortFunc(l.Pending, func(a, b Order) int {
		return cmp.Or(cmp.Compare(a.Hash, b.Hash), cmp.Compare(max(a.Placed, a.Revised), max(b.Placed, b.Revised)), cmp.Compare(a.Revised, b.Revised))
	})
}

// refFold adds an order and what was said of it up to f to the sums.
func refFold(l *Ledger, o *refOrder, f int64, r *Rules) {
	content := o.placings[0]
	at := content.Placed
	for _, u := range o.updates {
		if u.Revised <= f && at <= u.Revised+r.Lateness {
			content = u
		}
	}
	var returned event.Micro
	var whole, cancelled bool
	counted := map[uint64]bool{}
	net := max(0, content.Amount-content.Discount)
	o.adjusting = slices.DeleteFunc(o.adjusting, func(a Adjustment) bool {
		if a.Time > f || at > a.Time+r.Lateness {
			return false
		}
		if !counted[a.Event] {
			counted[a.Event] = true
			switch a.Kind {
			case Refunded:
				returned += a.Amount
			case RefundedWholly:
				whole = true
			case Cancelled:
				cancelled = true
			}
		}
		return true
	})
	o.placings = slices.DeleteFunc(o.placings, func(p Order) bool { return p.Placed <= f })
	o.updates = slices.DeleteFunc(o.updates, func(u Order) bool { return u.Revised <= f })
	if cancelled {
		return
	}
	if whole {
		returned = net
	}
	s := &l.Fold
	s.Orders++
	s.Amount += content.Amount
	s.Discount += min(content.Discount, content.Amount)
	s.Returned += min(returned, net)
	if kept := net - min(returned, net); content.Costed {
		s.CostedNet += kept
		s.Cost += refCostKept(&content, kept, whole || returned > 0)
	}
	day := r.Calendar.Day(at)
	if s.Occasions == 0 {
		s.FirstDay = day
	} else if day > s.LastDay {
		s.LnGaps += int64(math.Round(math.Log(float64(day-s.LastDay)) * 1e9))
	}
	if s.Occasions == 0 || day > s.LastDay {
		s.Occasions++
		s.LastDay = day
	}
}
