package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Errors of DecodeFacts.
var (
	// ErrVersion is returned for facts of a version that this binary does not know.
	ErrVersion = errors.New("unknown version of a customer's facts: written by a newer binary")
	// ErrCorrupt is returned for bytes that AppendFacts did not write.
	ErrCorrupt = errors.New("corrupt bytes of a customer's facts: restore them from the changelog")
)

// DecodeFacts makes l the facts whose bytes AppendFacts wrote, in this version
// or an earlier one. It reuses l's
// memory and keeps none of b; intern, which must not keep its argument either,
// makes the strings of channels that l has not met of late (nil: a copy). On an
// error, ErrVersion or ErrCorrupt, l is the zero Ledger. Once l's slices have
// grown it does not allocate.
func DecodeFacts(b []byte, l *Ledger, intern func([]byte) string) error {
	l.Reset()
	if len(b) == 0 {
		return fmt.Errorf("%w: no bytes", ErrCorrupt)
	}
	if b[0] < factsVersion1 || b[0] > factsVersion {
		return fmt.Errorf("%w: %d, known: %d to %d", ErrVersion, b[0], factsVersion1, factsVersion)
	}
	d := decoder{reader: reader{b: b[1:]}, l: l, version: b[0]}
	d.facts(intern)
	if d.left() != 0 {
		l.Reset()
		return fmt.Errorf("%w: all %d bytes of them", ErrCorrupt, len(b))
	}
	return nil
}

// decoder fills a ledger. Whatever the rest of the package relies on (order,
// bounds, times between First and Last) is checked here.
type decoder struct {
	reader
	l       *Ledger
	version byte
}

func (d *decoder) facts(intern func([]byte) string) {
	l := d.l
	has := d.uvarint()
	l.Last = d.number()
	if has > allSections || l.Last > lastTime || l.Last == 0 && has != 0 {
		d.fail()
	}
	l.First = l.Last - d.elapsed()
	if l.First < 0 || l.First == 0 && l.Last != 0 {
		d.fail()
	}
	if has&hasWeeks != 0 {
		if d.version == factsVersion1 {
			d.days()
		} else {
			d.activity()
		}
	}
	l.table = l.table[:0]
	if has&hasChannels != 0 {
		d.names(intern)
	}
	if has&hasOrders != 0 {
		d.orders()
	}
	if has&hasPending != 0 {
		d.pending()
	}
	if has&hasViews != 0 {
		if d.version <= factsVersion2 {
			d.lastViews()
		} else {
			d.views()
		}
	}
	if has&clearedByLast != 0 && len(l.Orders) > 0 {
		l.CartCleared = l.Orders[len(l.Orders)-1].Placed
	} else if has&clearedByLast != 0 {
		d.fail()
	}
	if has&^(hasOrders|hasChannels|hasWeeks|hasViews|clearedByLast|hasPending) != 0 {
		d.rest(has)
	}
}

// ago reads a time between First and Last.
func (d *decoder) ago() int64 {
	t := d.l.Last - d.elapsed()
	if t < d.l.First {
		d.fail()
	}
	return t
}

func (d *decoder) activity() {
	l := d.l
	head := d.uvarint()
	now := int64(Week(int32(l.Last / dayMs)))
	off := unzigzag(head >> 2)
	l.Visited = d.bits()
	if head&1 != 0 {
		l.Carted = d.bits()
	}
	if head&2 != 0 {
		l.Engaged = d.bits()
	}
	if off > 1 || off < -now || l.Visited&1 != 0 || head&1 != 0 && l.Carted == 0 || head&2 != 0 && l.Engaged == 0 {
		d.fail()
		return
	}
	l.Week = int32(now + off)
	l.Visited |= 1
	if (l.Carted|l.Engaged)&^l.Visited != 0 || l.Visited>>uint(l.Week+1) != 0 { // before 1970
		d.fail()
	}
}

func (d *decoder) names(intern func([]byte) string) {
	table := d.l.table
	n := d.count(HardOrders+MaxPending+MaxConsents, 2)
	for ; n > 0; n-- {
		size := d.count(MaxChannel, 1)
		if size == 0 {
			d.fail()
			return
		}
		name := d.l.intern(d.b[d.at:d.at+size], intern)
		d.at += size
		if len(table) > 0 && name <= table[len(table)-1] {
			d.fail()
			return
		}
		table = append(table, name)
	}
	d.l.table = table
}

// intern returns a string for a channel's name.
func (l *Ledger) intern(name []byte, intern func([]byte) string) string {
	for _, s := range l.channels {
		if s == string(name) {
			return s
		}
	}
	if intern == nil {
		return l.meet(string(name))
	}
	return l.meet(intern(name))
}

func (d *decoder) channel() string {
	i := d.uvarint()
	if i > uint64(len(d.l.table)) {
		d.fail()
		return ""
	}
	if i == 0 {
		return ""
	}
	return d.l.table[i-1]
}

// The fewest bytes that an order and a view take.
const (
	minOrder = 9
	minView  = 9
)

func (d *decoder) orders() {
	l := d.l
	n := d.count(HardOrders, minOrder)
	items := d.items()
	l.Orders = slices.Grow(l.Orders, n)[:n]
	placed, channel := l.First, ""
	for i := range l.Orders {
		o := &l.Orders[i]
		head := d.hashed(o)
		t, ok := elapsedOf(d.uvarint())
		placed += t
		o.Placed, o.Revised = placed, 0
		items = d.content(o, head, channel, head&2 != 0, items)
		if !ok || placed > l.Last || i > 0 && !older(l.Orders[i-1].Placed, l.Orders[i-1].Hash, o.Placed, o.Hash) {
			d.fail()
		}
		if d.bad() {
			return
		}
		channel = o.Channel
	}
	if len(items) > 0 {
		d.fail()
	}
}

// hashed reads the head of an order and its hash.
func (d *decoder) hashed(o *Order) (head uint64) {
	head, at := uvarint(d.b, d.at)
	if len(d.b)-at < 6 {
		d.fail()
		return 0
	}
	o.Hash = hash6At(d.b, at)
	d.at = at + 6
	return head
}

func (d *decoder) pending() {
	l := d.l
	n := d.count(MaxPending, minOrder)
	items := d.items()
	l.Pending = slices.Grow(l.Pending, n)[:n]
	channel := ""
	for i := range l.Pending {
		p := &l.Pending[i]
		head := d.hashed(p)
		p.Placed, p.Revised = d.ago(), 0
		items = d.content(p, head, channel, false, items)
		if head&2 != 0 {
			p.Placed, p.Revised = 0, p.Placed
		}
		if i > 0 && comparePending(&l.Pending[i-1], p) >= 0 {
			d.fail()
		}
		if d.bad() {
			return
		}
		channel = p.Channel
	}
	if len(items) > 0 {
		d.fail()
	}
}

// items reads how many items the orders have and makes room for them.
func (d *decoder) items() []uint64 {
	return d.l.carve(d.count(d.left()/8, 8))
}

// content reads an order's content and returns the room that is left.
func (d *decoder) content(o *Order, head uint64, channel string, revised bool, room []uint64) []uint64 {
	if head&4 != 0 {
		channel = d.channel()
	}
	o.Channel = channel
	o.Amount, o.Discount, o.Cost, o.Costed, o.Coupon = d.money(), 0, 0, false, false
	if head&1 != 0 {
		o.Discount = d.money()
	}
	n := head >> 3
	if d.version != factsVersion1 {
		if n >>= 1; head&8 != 0 {
			d.more(o)
		}
	}
	if revised {
		o.Revised = d.ago()
	}
	if n > MaxItems || n > uint64(len(room)) || int(n)*8 > d.left() {
		d.fail()
		return nil
	}
	items, b := room[:n:n], d.b[d.at:]
	previous := uint64(0)
	for i := range items {
		item := binary.LittleEndian.Uint64(b)
		b = b[8:]
		if item <= previous && i > 0 {
			d.fail()
			return nil
		}
		items[i], previous = item, item
	}
	o.Items = items
	d.at += int(n) * 8
	return room[n:]
}
