package ledger

import (
	"encoding/binary"
	"slices"
)

// The bytes of a customer's facts, version 3. What most customers do not have
// takes no byte but its bit in sections.
//
//	facts := version:1byte sections:uvarint Last:uvarint First:ago
//	         [weeks] [channels] [orders] [pending] [views] [cart] [cleared]
//	         [messages] [survey] [adjustments] [marks] [consents] [fold] [erased]
//
//	uvarint   base 128, low groups first, no longer than needed
//	scaled k  uvarint: 2·(v/k) where k divides v, else 2·v+1
//	ago       scaled 1000 of Last−t, in ms
//	money     scaled 10000 of the micro-units
//	signed    uvarint, zigzag
//	channel   uvarint: 0 is "", i the i-th of channels
//	hash6     6 bytes; hash4, hash8 likewise; all little-endian
//
//	bits      present:1byte (8 bits of them:1byte)…: bit k of present is set where
//	          the bits 8k… are not all 0, and only these follow
//
//	weeks       head:uvarint Visited:bits [Carted:bits] [Engaged:bits], of Visited
//	            all but bit 0, which is set
//	            head: bit 0 Carted follows, bit 1 Engaged follows, bits 2… Week−the
//	            week of ⌊Last/day⌋, zigzag
//	channels    n:uvarint (length:uvarint bytes)ⁿ, ascending
//	orders      n:uvarint items:uvarint orderⁿ; items is the total
//	  order       head:uvarint Hash:hash6 Placed−previous:scaled 1000 (before the
//	              first: First) [channel] Amount:money [Discount:money]
//	              [more:1byte [Cost:money]] [Revised:ago] (item:hash8)ⁱ
//	              head: bit 0 Discount follows, bit 1 Revised follows, bit 2 channel
//	              follows (else it is that of the order before), bit 3 more follows,
//	              bits 4… i
//	              more: bit 0 Coupon, bit 1 Costed: Cost follows
//	pending     n:uvarint items:uvarint statementⁿ
//	  statement   as order, but bit 1: an update; its time, Placed or Revised, is an
//	              ago in Placed's place, and no Revised follows
//	views       n:uvarint viewⁿ, the latest first
//	  view        head:uvarint Item:hash8 [Session:hash4]
//	              head: bit 0 Session follows (else it is that of the view written
//	              before, at first 0), bits 1… scaled 1000 of that one's Time (at
//	              first Last) − Time
//	cart        n:uvarint (item:hash8 removed:1byte Time:ago)ⁿ
//	cleared     CartCleared:ago; no section where it is the last order's Placed
//	messages    bits:1byte [Sent:ago] [Opened:ago] [Clicked:ago]
//	survey      SurveyTime:ago rating:1byte
//	adjustments n:uvarint (Order:hash6 Event:hash6 head:1byte Time:ago [Amount:money])ⁿ
//	            head: bit 0 Amount follows, bits 1… Kind
//	marks       n:uvarint (Kind:1byte Time:ago hash4)ⁿ bits:1byte (folded:uvarint)…,
//	            one for each bit, bit k for kind k
//	consents    n:uvarint (channel granted:1byte Time:ago)ⁿ
//	fold        Orders Occasions:uvarint FirstDay:signed LastDay−FirstDay LnGaps:uvarint
//	            Amount Discount Returned Cost CostedNet:money Orphans:uvarint
//	erased      Erased:ago
//
// Version 2 was the same but for this:
//
//	views       n:uvarint (Item:hash8 Time:ago)ⁿ, n ≤ 4, ascending by Item: when each
//	            item was last looked at
//
// Version 1 was the same as version 2 but for these:
//
//	weeks       were days: their number−⌊Last/day⌋:signed n:1byte, n older days: n ≤ 7:
//	            each its bit's number in a byte, ascending; n = 8: all 64 in 8 bytes
//	order       had no more; its head: bits 3… i
//	fold        had neither Cost nor CostedNet
const (
	factsVersion  = 3
	factsVersion2 = 2
	factsVersion1 = 1
)

// The bits of sections. Stored. The commonest take the first byte.
const (
	hasOrders      = 1 << 0
	hasChannels    = 1 << 1
	hasWeeks       = 1 << 2
	hasViews       = 1 << 3
	clearedByLast  = 1 << 4 // CartCleared is the last order's Placed
	hasCart        = 1 << 5
	hasMessages    = 1 << 6
	hasAdjustments = 1 << 7
	hasPending     = 1 << 8
	hasCleared     = 1 << 9
	hasSurvey      = 1 << 10
	hasMarks       = 1 << 11
	hasConsents    = 1 << 12
	hasFold        = 1 << 13
	hasErased      = 1 << 14
	allSections    = 1<<15 - 1
)

const (
	timeUnit  = 1000  // many producers' clocks count seconds
	moneyUnit = 10000 // most currencies have hundredths
)

// AppendFacts appends the facts' bytes in the newest version. Equal facts have
// equal bytes. l must have come from Apply, Before or DecodeFacts. It allocates
// nothing but dst's growth. It uses a table of l's: one goroutine at a time.
func (l *Ledger) AppendFacts(dst []byte) []byte {
	l.table = l.names(l.table[:0])
	w := writer{at: len(dst), last: l.Last, channels: l.table}
	dst = slices.Grow(dst, l.bound())
	w.b = dst[:cap(dst)]
	has := l.sections(len(w.channels))
	w.byte(factsVersion)
	w.uvarint(has)
	w.uvarint(uint64(l.Last))
	w.ago(l.First)
	if has&hasWeeks != 0 {
		w.activity(l)
	}
	if has&hasChannels != 0 {
		w.uvarint(uint64(len(w.channels)))
		for _, s := range w.channels {
			w.uvarint(uint64(len(s)))
			w.at += copy(w.b[w.at:], s)
		}
	}
	if has&hasOrders != 0 {
		w.orders(l.Orders, l.First)
	}
	if has&hasPending != 0 {
		w.pending(l.Pending)
	}
	if has&hasViews != 0 {
		w.views(l.Views)
	}
	if has&^(hasOrders|hasChannels|hasWeeks|hasViews|clearedByLast|hasPending) != 0 {
		w.rest(l, has)
	}
	return w.b[:w.at]
}

// bound is more bytes than the facts can take. A uvarint takes at most 10, and
// is written eight at a time.
func (l *Ledger) bound() int {
	n := 440 + 72*(len(l.Orders)+len(l.Pending)) + 48*(len(l.Adjustments)+len(l.Cart)+len(l.Marks)+len(l.Consents)+len(l.Views))
	for i := range l.Orders {
		n += 8 * len(l.Orders[i].Items)
	}
	for i := range l.Pending {
		n += 8 * len(l.Pending[i].Items)
	}
	for _, s := range l.table {
		n += 2 + len(s)
	}
	return n
}

// sections says what there is to write.
func (l *Ledger) sections(channels int) uint64 {
	has := bit(len(l.Orders) > 0, hasOrders) | bit(channels > 0, hasChannels) | bit(l.Visited != 0, hasWeeks) |
		bit(len(l.Views) > 0, hasViews) | bit(len(l.Cart) > 0, hasCart) |
		bit(l.Sent|l.Opened|l.Clicked != 0, hasMessages) | bit(len(l.Adjustments) > 0, hasAdjustments) |
		bit(len(l.Pending) > 0, hasPending) | bit(l.SurveyTime != 0, hasSurvey) |
		bit(len(l.Marks) > 0 || l.MarkFold != [numMarks]int64{}, hasMarks) |
		bit(len(l.Consents) > 0, hasConsents) | bit(l.Fold != Fold{}, hasFold) | bit(l.Erased != 0, hasErased)
	if n := len(l.Orders); n > 0 && l.Orders[n-1].Placed == l.CartCleared {
		return has | clearedByLast
	}
	return has | bit(l.CartCleared != 0, hasCleared)
}

func bit(set bool, b uint64) uint64 {
	if set {
		return b
	}
	return 0
}

// names appends the distinct channels to table, sorted.
func (l *Ledger) names(table []string) []string {
	last := ""
	add := func(s string) {
		if s == last || s == "" {
			return
		}
		last = s
		at := 0
		for at < len(table) && table[at] < s {
			at++
		}
		if at == len(table) || table[at] != s {
			table = slices.Insert(table, at, s)
		}
	}
	for i := range l.Orders {
		add(l.Orders[i].Channel)
	}
	for i := range l.Pending {
		add(l.Pending[i].Channel)
	}
	for i := range l.Consents {
		add(l.Consents[i].Channel)
	}
	return table
}

func (w *writer) activity(l *Ledger) {
	w.uvarint(zigzag(int64(l.Week-Week(int32(w.last/dayMs))))<<2 | bit(l.Carted != 0, 1) | bit(l.Engaged != 0, 2))
	w.bits(l.Visited &^ 1)
	if l.Carted != 0 {
		w.bits(l.Carted)
	}
	if l.Engaged != 0 {
		w.bits(l.Engaged)
	}
}

func (w *writer) orders(orders []Order, first int64) {
	w.count(orders)
	channel, previous := "", first
	for i := range orders {
		o := &orders[i]
		w.order(o, o.Revised != 0, channel, uint64(o.Placed-previous), o.Revised)
		channel, previous = o.Channel, o.Placed
	}
}

func (w *writer) pending(pending []Order) {
	w.count(pending)
	channel := ""
	for i := range pending {
		p := &pending[i]
		w.order(p, p.Revised != 0, channel, uint64(w.last-p.said()), 0)
		channel = p.Channel
	}
}

// count writes how many orders and items there are.
func (w *writer) count(orders []Order) {
	items := 0
	for i := range orders {
		items += len(orders[i].Items)
	}
	w.uvarint(uint64(len(orders)))
	w.uvarint(uint64(items))
}

// order writes an order or a statement about one. channel is that of the one
// before, elapsed its time.
func (w *writer) order(o *Order, bit1 bool, channel string, elapsed uint64, revised int64) {
	b, at := w.b, w.at
	more := bit(o.Coupon, 1) | bit(o.Costed, 2)
	at = putUvarint(b, at, uint64(len(o.Items))<<4|bit(o.Discount != 0, 1)|bit(bit1, 2)|bit(o.Channel != channel, 4)|bit(more != 0, 8))
	binary.LittleEndian.PutUint64(b[at:], o.Hash)
	at = putUvarint(b, at+6, scaledTime(elapsed))
	if o.Channel != channel {
		w.at = at
		w.channel(o.Channel)
		at = w.at
	}
	at = putUvarint(b, at, scaledMoney(uint64(o.Amount)))
	if o.Discount != 0 {
		at = putUvarint(b, at, scaledMoney(uint64(o.Discount)))
	}
	if more != 0 {
		b[at] = byte(more)
		at++
		if o.Costed {
			at = putUvarint(b, at, scaledMoney(uint64(o.Cost)))
		}
	}
	if revised != 0 {
		at = putUvarint(b, at, scaledTime(uint64(w.last-revised)))
	}
	w.at = at + 8*len(o.Items)
	b = b[at:w.at]
	for _, item := range o.Items {
		binary.LittleEndian.PutUint64(b, item)
		b = b[8:]
	}
}
