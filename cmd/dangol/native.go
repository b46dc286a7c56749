package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/dangol-dev/dangol/engine/event"
)

// appendNative writes ev as the native JSON that the decoder reads back to an
// equal event.
func appendNative(b []byte, ev *event.Event) []byte {
	b = append(b, `{"type":"`...)
	b = append(b, ev.Type.String()...)
	b = append(b, `","customer_id":`...)
	b = appendString(b, ev.CustomerID)
	b = append(b, `,"time":"`...)
	b = time.UnixMilli(ev.Time).UTC().AppendFormat(b, "2006-01-02T15:04:05.999Z07:00")
	b = append(b, '"')
	text := func(key, value string) {
		if value != "" {
			b = append(b, key...)
			b = appendString(b, value)
		}
	}
	text(`,"id":`, ev.ID)
	text(`,"order_id":`, ev.OrderID)
	b = appendItems(b, ev.Items)
	if ev.HasAmount {
		b = appendMicro(append(b, `,"amount":`...), ev.Amount)
	}
	if ev.Discount != 0 {
		b = appendMicro(append(b, `,"discount":`...), ev.Discount)
	}
	text(`,"coupon":`, ev.Coupon)
	text(`,"currency":`, ev.Currency)
	text(`,"channel":`, ev.Channel)
	text(`,"session_id":`, ev.SessionID)
	text(`,"previous_id":`, ev.PreviousID)
	switch ev.Type {
	case event.ConsentUpdated:
		b = strconv.AppendBool(append(b, `,"granted":`...), ev.Granted)
	case event.SurveyAnswered, event.ProductReviewed:
		b = strconv.AppendInt(append(b, `,"rating":`...), int64(ev.Rating), 10)
	}
	return append(b, '}')
}

func appendItems(b []byte, items []event.Item) []byte {
	for i := range items {
		it := &items[i]
		if i == 0 {
			b = append(b, `,"items":[`...)
		} else {
			b = append(b, ',')
		}
		b = appendString(append(b, `{"item_id":`...), it.ID)
		if it.Category != "" {
			b = appendString(append(b, `,"category":`...), it.Category)
		}
		if it.Quantity != event.One {
			b = appendMicro(append(b, `,"quantity":`...), it.Quantity)
		}
		if it.Price != 0 {
			b = appendMicro(append(b, `,"price":`...), it.Price)
		}
		b = append(b, '}')
	}
	if len(items) > 0 {
		b = append(b, ']')
	}
	return b
}

func appendMicro(b []byte, m event.Micro) []byte {
	return append(m.Append(append(b, '"')), '"')
}

// appendString writes s as a JSON string.
func appendString(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("a string cannot be JSON: %v", err))
	}
	return append(b, text...)
}
