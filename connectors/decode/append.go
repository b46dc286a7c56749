package decode

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/dangol-dev/dangol/engine/event"
)

// AppendJSON appends ev in its native JSON form, on one line, without a line
// end. Decode gives the same event back. It does not allocate where dst has
// room.
func AppendJSON(dst []byte, ev *event.Event) []byte {
	dst = append(dst, '{')
	if ev.ID != "" {
		dst = append(appendText(dst, `"id":`, ev.ID), ',')
	}
	dst = append(append(append(dst, `"type":"`...), ev.Type.String()...), '"')
	if ev.Type != event.ItemUpdated {
		dst = appendText(dst, `,"customer_id":`, ev.CustomerID)
	}
	dst = append(dst, `,"time":"`...)
	dst = time.UnixMilli(ev.Time).UTC().AppendFormat(dst, "2006-01-02T15:04:05.999Z")
	dst = append(dst, '"')
	dst = appendGiven(dst, `,"order_id":`, ev.OrderID)
	if len(ev.Items) > 0 {
		dst = appendItems(append(dst, `,"items":`...), ev.Items)
	}
	if ev.HasAmount {
		dst = appendMoney(dst, `,"amount":"`, ev.Amount)
	}
	if ev.Discount != 0 {
		dst = appendMoney(dst, `,"discount":"`, ev.Discount)
	}
	dst = appendGiven(dst, `,"coupon":`, ev.Coupon)
	dst = appendGiven(dst, `,"currency":`, ev.Currency)
	dst = appendGiven(dst, `,"channel":`, ev.Channel)
	dst = appendGiven(dst, `,"session_id":`, ev.SessionID)
	dst = appendGiven(dst, `,"previous_id":`, ev.PreviousID)
	if ev.Granted || ev.Type == event.ConsentUpdated {
		dst = strconv.AppendBool(append(dst, `,"granted":`...), ev.Granted)
	}
	if ev.Rating != 0 || ev.Type == event.SurveyAnswered {
		dst = strconv.AppendInt(append(dst, `,"rating":`...), int64(ev.Rating), 10)
	}
	return append(appendState(dst, &ev.State), '}')
}

func appendState(dst []byte, s *event.ItemState) []byte {
	if s.HasAvailable {
		dst = strconv.AppendBool(append(dst, `,"available":`...), s.Available)
	}
	if s.HasHidden {
		dst = strconv.AppendBool(append(dst, `,"hidden":`...), s.Hidden)
	}
	if s.HasConsent {
		dst = appendText(dst, `,"requires_consent":`, s.Consent)
	}
	return dst
}

func appendItems(dst []byte, items []event.Item) []byte {
	for i := range items {
		it := &items[i]
		open := `,{"item_id":`
		if i == 0 {
			open = `[{"item_id":`
		}
		dst = appendText(dst, open, it.ID)
		dst = appendGiven(dst, `,"category":`, it.Category)
		if it.Quantity != event.One {
			dst = append(dst, `,"quantity":`...)
			if it.Quantity%event.One == 0 {
				dst = strconv.AppendInt(dst, int64(it.Quantity/event.One), 10)
			} else {
				dst = it.Quantity.Append(dst)
			}
		}
		if it.Price != 0 {
			dst = appendMoney(dst, `,"price":"`, it.Price)
		}
		if it.HasCost {
			dst = appendMoney(dst, `,"cost":"`, it.Cost)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendMoney(dst []byte, key string, m event.Micro) []byte {
	return append(m.Append(append(dst, key...)), '"')
}

func appendGiven(dst []byte, key, s string) []byte {
	if s == "" {
		return dst
	}
	return appendText(dst, key, s)
}

// appendText appends key and s as a JSON string; bytes that are not UTF-8 become
// U+FFFD.
func appendText(dst []byte, key, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(append(dst, key...), '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if _, n := utf8.DecodeRuneInString(s[i:]); n > 1 {
				i += n
				continue
			}
		}
		dst = append(dst, s[from:i]...)
		switch {
		case c >= utf8.RuneSelf:
			dst = append(dst, `\ufffd`...)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, '\\', c)
		}
		i++
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}
