package file

import (
	"encoding/binary"
	"errors"
	"unsafe"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/wire"
)

// Events that are being sorted lie as bytes:
//
//	type, flags (1 HasAmount, 2 Granted, then ItemState: 4 Available, 8 HasAvailable,
//	16 Hidden, 32 HasHidden, 64 HasConsent), rating: a byte each
//	time, amount, discount: varint
//	id, customer, order, currency, channel, session, previous, coupon, consent: text
//	number of items: uvarint; of each: id, category: text; quantity, price: varint;
//	0, or 1 and the cost: a byte, varint
//
// A text is its length as uvarint and its bytes. The form lives no longer than
// the process, so it has no version.

func appendRecord(b []byte, ev *event.Event) []byte {
	flags := byte(0)
	for i, on := range [...]bool{
		ev.HasAmount, ev.Granted, ev.State.Available, ev.State.HasAvailable, ev.State.Hidden, ev.State.HasHidden, ev.State.HasConsent,
	} {
		if on {
			flags |= 1 << i
		}
	}
	b = append(b, byte(ev.Type), flags, byte(ev.Rating))
	b = binary.AppendVarint(b, ev.Time)
	b = binary.AppendVarint(b, int64(ev.Amount))
	b = binary.AppendVarint(b, int64(ev.Discount))
	for _, s := range [...]string{ev.ID, ev.CustomerID, ev.OrderID, ev.Currency, ev.Channel, ev.SessionID, ev.PreviousID, ev.Coupon, ev.State.Consent} {
		b = appendText(b, s)
	}
	b = binary.AppendUvarint(b, uint64(len(ev.Items)))
	for i := range ev.Items {
		it := &ev.Items[i]
		b = appendText(appendText(b, it.ID), it.Category)
		b = binary.AppendVarint(b, int64(it.Quantity))
		b = binary.AppendVarint(b, int64(it.Price))
		if it.HasCost {
			b = binary.AppendVarint(append(b, 1), int64(it.Cost))
		} else {
			b = append(b, 0)
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errRecord = errors.New("a temporary file is damaged; read the history again")

// readRecord is the way back. The event's strings alias b.
func readRecord(b []byte, ev *event.Event) error {
	ev.Reset()
	if len(b) < 3 {
		return errRecord
	}
	ev.Type, ev.Rating = event.Type(b[0]), int8(b[2])
	for i, on := range [...]*bool{
		&ev.HasAmount, &ev.Granted, &ev.State.Available, &ev.State.HasAvailable, &ev.State.Hidden, &ev.State.HasHidden, &ev.State.HasConsent,
	} {
		*on = b[1]>>i&1 != 0
	}
	r := wire.Reader{Rest: b[3:]}
	ev.Time, ev.Amount, ev.Discount = r.Varint(), event.Micro(r.Varint()), event.Micro(r.Varint())
	for _, s := range [...]*string{&ev.ID, &ev.CustomerID, &ev.OrderID, &ev.Currency, &ev.Channel, &ev.SessionID, &ev.PreviousID, &ev.Coupon, &ev.State.Consent} {
		*s = text(&r)
	}
	for n := r.Uvarint(); n > 0 && !r.Failed; n-- {
		it := event.Item{ID: text(&r), Category: text(&r), Quantity: event.Micro(r.Varint()), Price: event.Micro(r.Varint())}
		if it.HasCost = r.Byte() == 1; it.HasCost {
			it.Cost = event.Micro(r.Varint())
		}
		ev.Items = append(ev.Items, it)
	}
	if r.Failed || len(r.Rest) > 0 {
		return errRecord
	}
	return nil
}

// text is the next text, whose bytes it shares.
func text(r *wire.Reader) string {
	b := r.Take(r.Uvarint())
	return unsafe.String(unsafe.SliceData(b), len(b))
}
