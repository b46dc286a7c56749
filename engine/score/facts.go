package score

import (
	"math"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/journey"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// facts is a ledger read once, in the terms of the scores. Its memory is used
// again.
type facts struct {
	orders int         // that stand, folded ones included
	net    event.Micro // what they brought
	last   int64       // instant of the last order; 0: none
	day    int32       // its calendar day

	occasions []journey.Occasion // purchase days with retained orders, ascending
	moments
	behaviour behaviour
	ordered   uint64 // weeks with an order: bit i is the ledger's Week−i
	folded    ledger.Fold
	foldedAt  int64

	// Of the orders that carry a cost.
	margin, costed event.Micro // what they left, and their net
	margined       bool        // there are such orders

	// Within the RFM window.
	frequency int
	monetary  event.Micro
	leaves    int32 // calendar day at whose start the next orders leave the window; 0: none

	retained  int // orders that stand and are not folded
	fullPrice int // of those, without discount
	coupons   int // of those, with a coupon
	hours     [24]uint16
	weekdays  [8]uint16
	channels  []channelCount

	seen      int64
	referred  int64
	referrals int
	promoted  int64
}

type channelCount struct {
	name string
	n    int
	last int64
}

// lnSmall holds ln of small gaps.
var lnSmall [512]float64

func init() {
	for i := range lnSmall {
		lnSmall[i] = math.Log(float64(i))
	}
}

func lnDays(d int32) float64 {
	if int(d) < len(lnSmall) {
		return lnSmall[d]
	}
	return math.Log(float64(d))
}

// read fills f from l. today is the present calendar day; window, the days of
// the RFM window (0: all time); decay, one over two horizons (see moments).
func (f *facts) read(l *ledger.Ledger, r *ledger.Rules, today int32, window int, decay float64) {
	*f = facts{occasions: f.occasions[:0], channels: f.channels[:0], seen: l.First, folded: l.Fold}
	f.readFold(r, today, window, decay)
	for sale := l.Sales(r); sale.Next(); {
		f.add(&sale.Sale, r, today, window, decay)
		if ago := l.Week - ledger.Week(sale.Day); ago >= 0 && ago < ledger.ActiveWeeks {
			f.ordered |= 1 << uint(ago)
		}
	}
	f.behaviour.read(l, f.ordered)
	if f.last != 0 {
		f.spend = f.net.Float() / float64(f.history.Repeats+1)
		if f.history.Repeats > 0 {
			f.usual = math.Log(1 + f.mean())
		}
	}
	for i := range l.Marks {
		if m := &l.Marks[i]; m.Kind == ledger.Referral && (f.referred == 0 || m.Time < f.referred) {
			f.referred = m.Time
		}
	}
	f.referrals = int(l.Count(ledger.Referral))
	if f.referrals > 0 && f.referred == 0 {
		f.referred = l.First
	}
	if len(f.occasions) == 0 && f.folded.Occasions > 0 { // all later orders were cancelled
		f.occasions = append(f.occasions, journey.Occasion{First: f.foldedAt, Last: f.foldedAt})
		f.folded.Occasions--
	}
}

// readFold takes what remains of the orders that are kept as sums. Where the
// window begins within them, they count whole: more than 256 orders in a
// window are beyond exactness.
func (f *facts) readFold(r *ledger.Rules, today int32, window int, decay float64) {
	fold := &f.folded
	if fold.Orders == 0 {
		return
	}
	f.orders, f.net = int(fold.Orders), fold.Net()
	f.day = fold.LastDay
	f.last = r.Calendar.Start(fold.LastDay)
	f.foldedAt = f.last
	f.history = rhythm.History{
		Repeats: int(fold.Occasions) - 1,
		Sum:     float64(fold.LastDay - fold.FirstDay),
		LnSum:   float64(fold.LnGaps) / 1e9,
	}
	f.margin, f.costed, f.margined = fold.CostedNet.Sub(fold.Cost), fold.CostedNet, fold.CostedNet != 0
	f.spread(int(fold.Occasions), f.history.Sum/max(float64(f.history.Repeats), 1), decay)
	if window == 0 || fold.LastDay > today-int32(window) {
		f.frequency, f.monetary = int(fold.Occasions), f.net
		f.leave(fold.LastDay, window)
	}
}

// leave notes when orders of a day leave the window.
func (f *facts) leave(day int32, window int) {
	if window == 0 {
		return
	}
	if at := day + int32(window); f.leaves == 0 || at < f.leaves {
		f.leaves = at
	}
}

// add takes the next order that stands.
func (f *facts) add(p *ledger.Sale, r *ledger.Rules, today int32, window int, decay float64) {
	first := f.orders == 0
	fresh := first || p.Day > f.day // a new purchase day
	if !first && fresh {
		gap := p.Day - f.day
		f.history.Repeats++
		f.history.Sum += float64(gap)
		f.history.LnSum += lnDays(gap)
		f.lastGap = float64(gap)
		f.order(f.lastGap, decay)
	} else if first {
		f.order(0, decay)
	}
	switch {
	case fresh || len(f.occasions) == 0:
		f.occasions = append(f.occasions, journey.Occasion{First: p.Placed, Last: p.Placed})
		if !fresh { // the day began among the folded orders
			f.folded.Occasions--
		}
	default:
		f.occasions[len(f.occasions)-1].Last = p.Placed
	}
	f.orders++
	f.net = f.net.Add(p.Net)
	if p.HasMargin {
		f.margin, f.costed, f.margined = f.margin.Add(p.Margin), f.costed.Add(p.Net), true
	}
	f.last, f.day = p.Placed, max(f.day, p.Day)
	if window == 0 || p.Day > today-int32(window) {
		if fresh {
			f.frequency++
		}
		f.monetary = f.monetary.Add(p.Net)
		f.leave(p.Day, window)
	}
	f.retained++
	if !p.Discounted {
		f.fullPrice++
	}
	if p.Coupon {
		f.coupons++
	}
	f.hours[r.Calendar.Hour(p.Placed)]++
	f.weekdays[r.Calendar.Weekday(p.Placed)]++
	f.channel(p.Channel, p.Placed)
}

// channel counts an order by its channel.
func (f *facts) channel(name string, at int64) {
	if name == "" {
		return
	}
	for i := range f.channels {
		if c := &f.channels[i]; c.name == name {
			c.n++
			c.last = at
			return
		}
	}
	f.channels = append(f.channels, channelCount{name, 1, at})
}
