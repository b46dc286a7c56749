package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dangol-dev/dangol/engine/event"
)

// This file is the decoder written the plain way, over encoding/json: slow, and
// easy to agree with. The tests hold the fast one to it.

type member struct {
	key   string
	value any // nil, bool, json.Number, string, []any, object
}

type object []member

func (o object) get(key string) any {
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

var errOracle = errors.New("rejected")

func rejectf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errOracle, fmt.Sprintf(format, args...))
}

func oracleTree(dec *json.Decoder, depth, maxDepth int) (any, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return tok, nil
	}
	if depth+1 > maxDepth {
		return nil, rejectf("too deep")
	}
	obj, list := object{}, []any{}
	for dec.More() {
		var key string
		if delim == '{' {
			k, err := dec.Token()
			if err != nil {
				return nil, err
			}
			key = k.(string)
		}
		v, err := oracleTree(dec, depth+1, maxDepth)
		if err != nil {
			return nil, err
		}
		obj, list = append(obj, member{key, v}), append(list, v)
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if delim == '{' {
		return obj, nil
	}
	return list, nil
}

// oracle is one record's reading. The first fault sticks.
type oracle struct {
	cfg Config
	err error
	ev  event.Event
}

func (o *oracle) fault(format string, args ...any) {
	if o.err == nil {
		o.err = rejectf(format, args...)
	}
}

func (o *oracle) unique(obj object, known []string) {
	for _, k := range known {
		n := 0
		for _, m := range obj {
			if m.key == k {
				n++
			}
		}
		if n > 1 {
			o.fault("%s twice", k)
		}
	}
}

func (o *oracle) text(v any, limit int) string {
	s, ok := v.(string)
	if v != nil && !ok || len(s) > limit {
		o.fault("%v is no string of %d", v, limit)
	}
	return s
}

func (o *oracle) number(v any) (event.Micro, bool) {
	var s string
	switch t := v.(type) {
	case nil:
		return 0, false
	case string:
		s = t
	case json.Number:
		s = string(t)
	default:
		o.fault("%v is no number", v)
	}
	m, err := event.ParseMicro([]byte(s))
	if err != nil || m < 0 {
		o.fault("number %q", s)
	}
	return m, true
}

func (o *oracle) boolean(v any) (value, given bool) {
	b, ok := v.(bool)
	if v != nil && !ok {
		o.fault("%v is no boolean", v)
	}
	return b, ok
}

func (o *oracle) currency(v any) string {
	s := strings.ToUpper(o.text(v, o.cfg.MaxString))
	if s == "" {
		return ""
	}
	for _, c := range strings.Fields(currencies) {
		if c == s && len(v.(string)) == 3 {
			return c
		}
	}
	o.fault("currency %q", s)
	return ""
}

var (
	rfc3339  = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$`) // time.Parse allows offsets of 24:60, the RFC does not
	zeroDate = regexp.MustCompile(`^000[01]-0[01]-0[01]`)
	millis   = regexp.MustCompile(`^\d+(\.\d+)?$`)
)

func (o *oracle) time(v any, limit int64) int64 {
	var ms int64
	switch t := v.(type) {
	case json.Number:
		if !millis.MatchString(string(t)) {
			o.fault("time %s", t)
			return 0
		}
		whole, _, _ := strings.Cut(string(t), ".")
		n, ok := new(big.Int).SetString(whole, 10)
		if !ok || !n.IsInt64() {
			o.fault("time %s", t)
			return 0
		}
		ms = n.Int64()
	case string:
		if !rfc3339.MatchString(t) || zeroDate.MatchString(t) {
			o.fault("time %s", t)
			return 0
		}
		at, err := time.Parse(time.RFC3339Nano, strings.ToUpper(strings.Replace(t, " ", "T", 1)))
		if err != nil {
			o.fault("time %s: %v", t, err)
			return 0
		}
		ms = at.UnixMilli()
	default:
		o.fault("time %v", v)
	}
	if ms <= 0 || ms >= time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() || limit != 0 && ms > limit {
		o.fault("time %d", ms)
	}
	return ms
}

func (o *oracle) stamp(v any) bool {
	switch t := v.(type) {
	case nil:
		return false
	case json.Number:
		return true
	case string:
		if len(t) > o.cfg.MaxString {
			o.fault("time of %d bytes", len(t))
		}
		return t != ""
	}
	o.fault("time %v", v)
	return false
}

func (o *oracle) items(v any, known []string) (items []event.Item, priced bool) {
	if v == nil {
		return nil, false
	}
	list, ok := v.([]any)
	if !ok || len(list) > o.cfg.MaxItems {
		o.fault("items %v", v)
		return nil, false
	}
	for _, e := range list {
		obj, ok := e.(object)
		if !ok {
			o.fault("item %v", e)
			return nil, false
		}
		it, p := o.item(obj, known)
		if it.ID == "" {
			o.fault("item without id")
		}
		items, priced = append(items, it), priced || p
	}
	return items, priced
}

// item reads a line; known begins with its ids, the best first.
func (o *oracle) item(obj object, known []string) (event.Item, bool) {
	o.unique(obj, known)
	it := event.Item{Quantity: event.One}
	for _, k := range known {
		if strings.HasSuffix(k, "_id") || k == "sku" {
			if id := o.text(obj.get(k), MaxID); it.ID == "" {
				it.ID = id
			}
		}
	}
	it.Category = o.text(obj.get("category"), o.cfg.MaxString)
	if q, ok := o.number(obj.get("quantity")); ok {
		it.Quantity = q
	}
	price, priced := o.number(obj.get("price"))
	it.Price = price
	if slices.Contains(known, "cost") {
		it.Cost, it.HasCost = o.number(obj.get("cost"))
	}
	return it, priced
}

func (o *oracle) rating(v any) (rating int8, given bool) {
	m, given := o.number(v)
	if m > 10*event.One {
		return 11, given
	}
	return int8((m + event.One/2) / event.One), given
}

func (o *oracle) sum(items []event.Item) event.Micro {
	total := new(big.Int)
	for _, it := range items {
		line := new(big.Int).Mul(big.NewInt(int64(it.Price)), big.NewInt(int64(it.Quantity)))
		total.Add(total, line.Div(line.Add(line, big.NewInt(500_000)), big.NewInt(1_000_000)))
	}
	if !total.IsInt64() {
		o.fault("sum overflows")
	}
	return event.Micro(total.Int64())
}

func oracleDecode(cfg Config, limit int64, data []byte) (event.Event, error) {
	if len(data) > cfg.MaxBytes || !utf8.Valid(data) || !json.Valid(data) {
		return event.Event{}, rejectf("not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	tree, err := oracleTree(dec, 0, cfg.MaxDepth)
	if err != nil {
		return event.Event{}, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return event.Event{}, rejectf("trailing bytes")
	}
	obj, ok := tree.(object)
	if !ok {
		return event.Event{}, rejectf("not an object")
	}
	o := &oracle{cfg: cfg}
	typ, _ := obj.get("type").(string)
	var has has
	var priced bool
	switch typ {
	case "track", "page", "screen", "identify", "alias", "group":
		has, priced = o.segment(obj, typ, limit)
	default:
		has, priced = o.native(obj, typ, limit)
	}
	o.require(has, priced)
	return o.ev, o.err
}

func (o *oracle) native(obj object, typ string, limit int64) (h has, priced bool) {
	o.unique(obj, nativeNames[:])
	if v := obj.get("version"); v != nil && v != json.Number("1") {
		o.fault("version %v", v)
	}
	o.text(obj.get("type"), o.cfg.MaxString)
	ev := &o.ev
	for _, t := range event.Types() {
		if t.String() == typ {
			ev.Type = t
		}
	}
	if ev.Type == 0 {
		o.fault("type %q", typ)
	}
	ev.ID, ev.CustomerID = o.text(obj.get("id"), MaxID), o.text(obj.get("customer_id"), MaxID)
	if o.stamp(obj.get("time")) {
		ev.Time = o.time(obj.get("time"), limit)
	}
	ev.OrderID, ev.SessionID = o.text(obj.get("order_id"), MaxID), o.text(obj.get("session_id"), MaxID)
	ev.Channel, ev.PreviousID = o.text(obj.get("channel"), MaxChannel), o.text(obj.get("previous_id"), MaxID)
	ev.Coupon = o.text(obj.get("coupon"), o.cfg.MaxString)
	ev.Amount, ev.HasAmount = o.number(obj.get("amount"))
	ev.Discount, _ = o.number(obj.get("discount"))
	ev.Currency = o.currency(obj.get("currency"))
	ev.Items, priced = o.items(obj.get("items"), itemNames[:])
	ev.Granted, h.granted = o.boolean(obj.get("granted"))
	o.update(obj)
	var score int8
	var scored bool
	ev.Rating, h.rating = o.rating(obj.get("rating"))
	if score, scored = o.rating(obj.get("score")); scored && ev.Type == event.SurveyAnswered {
		ev.Rating = score
	}
	h.rating = h.rating || scored
	return h, priced
}

func (o *oracle) update(obj object) {
	s := &o.ev.State
	s.Available, s.HasAvailable = o.boolean(obj.get("available"))
	s.Hidden, s.HasHidden = o.boolean(obj.get("hidden"))
	s.Consent, s.HasConsent = o.text(obj.get("requires_consent"), MaxChannel), obj.get("requires_consent") != nil
	it := event.Item{ID: o.text(obj.get("item_id"), MaxID), Category: o.text(obj.get("category"), o.cfg.MaxString), Quantity: event.One}
	it.Price, _ = o.number(obj.get("price"))
	if o.ev.Type == event.ItemUpdated && len(o.ev.Items) == 0 && it.ID != "" {
		o.ev.Items = []event.Item{it}
	}
}

func (o *oracle) segment(obj object, typ string, limit int64) (h has, priced bool) {
	o.unique(obj, segmentNames[:])
	var props object
	if v := obj.get("properties"); v != nil {
		var ok bool
		if props, ok = v.(object); !ok {
			o.fault("properties %v", v)
		}
	}
	o.unique(props, propertyNames[:])
	ev := &o.ev
	name := o.text(obj.get("event"), o.cfg.MaxString)
	previous := o.text(obj.get("previousId"), MaxID)
	ev.Granted, h.granted = o.boolean(props.get("granted"))
	switch typ {
	case "page", "screen":
		ev.Type = event.PageViewed
	case "identify":
		ev.Type = event.Identified
	case "alias":
		ev.Type, ev.PreviousID = event.Aliased, previous
	case "track":
		folded := strings.Trim(strings.ToLower(strings.ReplaceAll(name, "_", " ")), " ")
		m, ok := trackNames[folded]
		if !ok {
			m.typ = typeByName[strings.ReplaceAll(folded, " ", "_")]
		}
		ev.Type, ev.Channel = m.typ, m.channel
		if m.withdrawn {
			ev.Granted, h.granted = false, true
		}
	}
	if ev.Type == 0 {
		o.fault("call %q %q", typ, name)
	}
	user, anonymous := o.text(obj.get("userId"), MaxID), o.text(obj.get("anonymousId"), MaxID)
	if ev.CustomerID = user; user == "" {
		ev.CustomerID = anonymous
	}
	ev.ID = o.text(obj.get("messageId"), MaxID)
	source, channel := o.text(obj.get("channel"), MaxChannel), o.text(props.get("channel"), MaxChannel)
	if source != "" && source != "server" {
		ev.Channel = source
	}
	if channel != "" {
		ev.Channel = channel
	}
	for _, k := range []string{"receivedAt", "sentAt", "originalTimestamp", "timestamp"} {
		if v := obj.get(k); o.stamp(v) {
			ev.Time = -1
			defer func() {
				if ev.Time == -1 {
					ev.Time = o.time(v, limit)
				}
			}()
		}
	}
	ev.OrderID, ev.SessionID = o.text(props.get("order_id"), MaxID), o.text(props.get("session_id"), MaxID)
	ev.Coupon = o.text(props.get("coupon"), o.cfg.MaxString)
	ev.Currency = o.currency(props.get("currency"))
	ev.Items, priced = o.items(props.get("products"), productNames[:])
	product, p := o.item(props, []string{"product_id", "sku", "category", "quantity", "price"})
	switch ev.Type {
	case event.ProductViewed, event.ProductAdded, event.ProductRemoved, event.ProductReviewed, event.ProductShared:
		if product.ID != "" && len(ev.Items) == 0 {
			ev.Items, priced = []event.Item{product}, p
		}
	}
	o.segmentMoney(props, priced)
	var score int8
	var scored bool
	ev.Rating, h.rating = o.rating(props.get("rating"))
	if score, scored = o.rating(props.get("score")); scored && ev.Type == event.SurveyAnswered {
		ev.Rating = score
	}
	h.rating = h.rating || scored
	return h, priced
}

func (o *oracle) segmentMoney(props object, priced bool) {
	ev := &o.ev
	sums := make(map[string]*big.Int)
	given := make(map[string]bool)
	for _, k := range []string{"revenue", "subtotal", "total", "shipping", "tax", "discount"} {
		m, ok := o.number(props.get(k))
		sums[k], given[k] = big.NewInt(int64(m)), ok
	}
	amount := new(big.Int)
	refund := ev.Type == event.OrderRefunded
	switch {
	case ev.Type != event.OrderCompleted && ev.Type != event.OrderUpdated && !refund:
		return
	case given["revenue"]:
		amount = sums["revenue"]
	case given["subtotal"]:
		amount.Add(sums["subtotal"], sums["discount"])
	case given["total"]:
		amount.Add(sums["total"], sums["discount"])
		if !amount.IsInt64() {
			o.fault("total overflows")
		}
		amount.Sub(amount, sums["tax"])
		amount.Sub(amount, sums["shipping"])
	case refund && priced:
		ev.Amount, ev.HasAmount = o.sum(ev.Items), true
		return
	default:
		if !refund {
			ev.Discount = event.Micro(sums["discount"].Int64())
		}
		return
	}
	if refund {
		if !amount.IsInt64() {
			o.fault("amount overflows")
		}
		amount.Sub(amount, sums["discount"])
	} else {
		ev.Discount = event.Micro(sums["discount"].Int64())
	}
	if amount.Sign() < 0 || !amount.IsInt64() {
		o.fault("amount %v", amount)
	}
	ev.Amount, ev.HasAmount = event.Micro(amount.Int64()), true
}

func (o *oracle) require(h has, priced bool) {
	ev := &o.ev
	if ev.Type == event.ItemUpdated {
		ev.CustomerID = ""
		if len(ev.Items) == 0 {
			o.fault("no item")
		}
	}
	if ev.CustomerID == "" && ev.Type != event.ItemUpdated || ev.Time <= 0 || ev.Rating > 10 {
		o.fault("customer %q, time %d, rating %d", ev.CustomerID, ev.Time, ev.Rating)
	}
	switch ev.Type.String() {
	case "order_completed", "order_updated":
		if !ev.HasAmount && len(ev.Items) == 0 || ev.Type == event.OrderUpdated && ev.OrderID == "" {
			o.fault("bare order")
		}
		if !ev.HasAmount && priced {
			ev.Amount, ev.HasAmount = o.sum(ev.Items), true
		}
	case "order_refunded", "order_cancelled":
		if ev.OrderID == "" {
			o.fault("no order")
		}
	case "product_viewed", "product_added", "product_removed", "product_reviewed", "product_shared":
		if len(ev.Items) == 0 {
			o.fault("no product")
		}
	case "survey_answered":
		if !h.rating {
			o.fault("no rating")
		}
	case "consent_updated":
		if !h.granted {
			o.fault("no consent")
		}
	case "aliased":
		if ev.PreviousID == "" {
			o.fault("no previous id")
		}
	}
}
