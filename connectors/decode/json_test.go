package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func newDecoder(t testing.TB, change ...func(*Config)) *JSON {
	t.Helper()
	cfg := DefaultConfig()
	for _, c := range change {
		c(&cfg)
	}
	d, err := NewJSON(cfg)
	require.NoError(t, err)
	return d
}

// agree decodes data both ways and compares.
func agree(t interface {
	Helper()
	Fatalf(string, ...any)
}, d *JSON, data []byte) {
	t.Helper()
	var got event.Event
	err := d.Decode(data, &got)
	want, wantErr := oracleDecode(DefaultConfig(), d.Limit, data)
	switch {
	case (err == nil) != (wantErr == nil):
		t.Fatalf("record %q\nfast: %v\nplain: %v", data, err, wantErr)
	case err == nil:
		if g, w := fmt.Sprintf("%#v", clone(got)), fmt.Sprintf("%#v", clone(want)); g != w {
			t.Fatalf("record %q\nfast:  %s\nplain: %s", data, g, w)
		}
	}
}

func clone(ev event.Event) event.Event {
	ev.Items = append([]event.Item{}, ev.Items...)
	return ev
}

func TestNative(t *testing.T) {
	var ev event.Event
	require.NoError(t, newDecoder(t).Decode([]byte(nativeOrderLine), &ev))
	require.Equal(t, event.Event{
		ID: "e-1", Type: event.OrderCompleted, CustomerID: "c-42", Time: 1795253400000, OrderID: "o-9",
		Items:  []event.Item{{ID: "A", Category: "pizza", Quantity: 2 * event.One, Price: 9_900_000}},
		Amount: 19_800_000, HasAmount: true, Discount: 2 * event.One, Currency: "EUR", Channel: "app", SessionID: "s-1",
	}, ev)
}

// The example of Segment's ecommerce spec for Order Completed.
const segmentOrder = `{"userId":"019mr8mf4r","type":"track","event":"Order Completed","messageId":"m-1","timestamp":"2026-11-21T18:30:00+09:00",
 "properties":{"checkout_id":"fksdjfsdjfisjf9sdfjsd9f","order_id":"50314b8e9bcf000000000000","affiliation":"Google Store",
 "subtotal":22.50,"total":27.50,"revenue":25.00,"shipping":3,"tax":2,"discount":2.5,"coupon":"hasbros","currency":"USD",
 "products":[{"product_id":"507f1f77bcf86cd799439011","sku":"45790-32","name":"Monopoly: 3rd Edition","price":19,"quantity":1,"category":"Games"},
 {"sku":"46493-32","name":"Uno Card Game","price":3,"quantity":2,"category":"Games"}]}}`

func TestSegmentOrder(t *testing.T) {
	want := event.Event{
		ID: "m-1", Type: event.OrderCompleted, CustomerID: "019mr8mf4r", Time: 1795253400000, OrderID: "50314b8e9bcf000000000000",
		Items: []event.Item{
			{ID: "507f1f77bcf86cd799439011", Category: "Games", Quantity: event.One, Price: 19 * event.One},
			{ID: "46493-32", Category: "Games", Quantity: 2 * event.One, Price: 3 * event.One},
		},
		Amount: 25 * event.One, HasAmount: true, Discount: 2_500_000, Currency: "USD", Coupon: "hasbros",
	}
	// Each sum in its turn gives the same amount, but for the last: the spec's
	// own example has products for 25.
	for _, without := range []string{"", `"revenue":25.00,`, `"subtotal":22.50,`, `"total":27.50,`} {
		record := segmentOrder
		for _, w := range []string{`"revenue":25.00,`, `"subtotal":22.50,`, `"total":27.50,`} {
			if without == "" {
				break
			}
			record = strings.Replace(record, w, "", 1)
			if w == without {
				break
			}
		}
		var ev event.Event
		require.NoError(t, newDecoder(t).Decode([]byte(record), &ev))
		require.Equal(t, want, ev, "without %s", without)
	}
}

func TestSegmentForms(t *testing.T) {
	const head = `{"anonymousId":"a","timestamp":"2026-11-21T09:30:00Z",`
	base := event.Event{CustomerID: "a", Time: 1795253400000, Items: []event.Item{}}
	for _, c := range []struct {
		record string
		want   func(*event.Event)
	}{
		{`"type":"page","name":"Home","properties":{"path":"/"}}`, func(e *event.Event) { e.Type = event.PageViewed }},
		{`"type":"screen","channel":"mobile"}`, func(e *event.Event) { e.Type, e.Channel = event.PageViewed, "mobile" }},
		{`"type":"page","channel":"server","version":2}`, func(e *event.Event) { e.Type = event.PageViewed }},
		{`"type":"identify","userId":"u","traits":{"email":"x"}}`, func(e *event.Event) { e.Type, e.CustomerID = event.Identified, "u" }},
		{`"type":"identify","userId":null}`, func(e *event.Event) { e.Type = event.Identified }},
		{`"type":"alias","userId":"u","previousId":"p"}`, func(e *event.Event) { e.Type, e.CustomerID, e.PreviousID = event.Aliased, "u", "p" }},
		{`"type":"track","event":"products searched"}`, func(e *event.Event) { e.Type = event.ProductsSearched }},
		{`"type":"track","event":" Product_VIEWED","properties":{"sku":"s","price":"1.50"}}`, func(e *event.Event) {
			e.Type, e.Items = event.ProductViewed, []event.Item{{ID: "s", Quantity: event.One, Price: 1_500_000}}
		}},
		{`"type":"track","event":"Email Opened"}`, func(e *event.Event) { e.Type, e.Channel = event.MessageOpened, "email" }},
		{`"type":"track","event":"Unsubscribed","properties":{"granted":true}}`, func(e *event.Event) { e.Type, e.Channel = event.ConsentUpdated, "email" }},
		{`"type":"track","event":"NPS"}`, nil},
		{`"type":"track","event":"Survey Answered","properties":{"score":8.6}}`, func(e *event.Event) { e.Type, e.Rating = event.SurveyAnswered, 9 }},
		{`"type":"track","event":"Order Refunded","properties":{"order_id":"o"}}`, func(e *event.Event) { e.Type, e.OrderID = event.OrderRefunded, "o" }},
		{`"type":"track","event":"Order Refunded","properties":{"order_id":"o","total":30,"tax":"5"}}`, func(e *event.Event) {
			e.Type, e.OrderID, e.Amount, e.HasAmount = event.OrderRefunded, "o", 25*event.One, true
		}},
		{`"type":"track","event":"Order Refunded","properties":{"order_id":"o","products":[{"sku":"s","price":2,"quantity":3}]}}`, func(e *event.Event) {
			e.Type, e.OrderID, e.Amount, e.HasAmount = event.OrderRefunded, "o", 6*event.One, true
			e.Items = []event.Item{{ID: "s", Quantity: 3 * event.One, Price: 2 * event.One}}
		}},
	} {
		var ev event.Event
		err := newDecoder(t).Decode([]byte(head+c.record), &ev)
		if c.want == nil {
			require.Error(t, err, c.record)
			continue
		}
		require.NoError(t, err, c.record)
		want := base
		c.want(&want)
		require.Equal(t, want, clone(ev), c.record)
		agree(t, newDecoder(t), []byte(head+c.record))
	}
}

// What an article cost is read where it stands in a list; in the properties of a
// call it may be the cost of anything, of any type.
func TestCost(t *testing.T) {
	d := newDecoder(t)
	var ev event.Event
	costs := func(record string) (costs []string) {
		require.NoError(t, d.Decode([]byte(record), &ev), record)
		agree(t, newDecoder(t), []byte(record))
		for _, it := range ev.Items {
			if !it.HasCost {
				require.Zero(t, it.Cost)
				costs = append(costs, "none")
				continue
			}
			costs = append(costs, it.Cost.String())
		}
		return costs
	}
	const native = `{"type":"order_completed","customer_id":"c","time":1,"items":[{"item_id":"A","cost":"4.10"},{"item_id":"B","cost":0},{"item_id":"C","cost":null},{"item_id":"D"}]}`
	require.Equal(t, []string{"4.10", "0.00", "none", "none"}, costs(native))
	require.Contains(t, string(AppendJSON(nil, &ev)), `"items":[{"item_id":"A","cost":"4.10"},{"item_id":"B","cost":"0.00"},{"item_id":"C"},{"item_id":"D"}]`)
	const call = `{"type":"track","userId":"c","timestamp":1,"event":`
	require.Equal(t, []string{"4.10", "none"}, costs(call+`"Order Completed","properties":{"cost":"of living","products":[{"sku":"A","cost":4.1},{"sku":"B"}]}}`))
	require.Equal(t, []string{"none"}, costs(call+`"Product Viewed","properties":{"sku":"A","cost":true}}`))
}

// An item_updated is of items and of no customer.
func TestItemUpdated(t *testing.T) {
	const head = `{"type":"item_updated","time":"2026-11-21T09:30:00Z",`
	pizza := event.Item{ID: "A", Category: "pizza", Quantity: event.One, Price: 9_900_000}
	for record, want := range map[string]event.Event{
		nativeUpdate:            {ID: "e-3", Items: []event.Item{pizza}, State: event.ItemState{HasAvailable: true, HasHidden: true, HasConsent: true, Consent: "alcohol"}},
		head + `"item_id":"A"}`: {Items: []event.Item{{ID: "A", Quantity: event.One}}},
		head + `"customer_id":"c-42","available":null,"hidden":true,"item_id":"A"}`:                                               {Items: []event.Item{{ID: "A", Quantity: event.One}}, State: event.ItemState{Hidden: true, HasHidden: true}},
		head + `"available":true,"requires_consent":"","items":[{"item_id":"B"},{"item_id":"A","category":"pizza","price":9.9}]}`: {Items: []event.Item{{ID: "B", Quantity: event.One}, pizza}, State: event.ItemState{Available: true, HasAvailable: true, HasConsent: true}},
		head + `"item_id":"passed over","price":1,"items":[{"item_id":"A"}]}`:                                                     {Items: []event.Item{{ID: "A", Quantity: event.One}}},
		head + `"items":[],"item_id":"A"}`: {Items: []event.Item{{ID: "A", Quantity: event.One}}},
	} {
		want.Type, want.Time = event.ItemUpdated, 1795253400000
		var ev, back event.Event
		d := newDecoder(t)
		require.NoError(t, d.Decode([]byte(record), &ev), record)
		require.Equal(t, want, ev, record)
		agree(t, newDecoder(t), []byte(record))
		require.NoError(t, newDecoder(t).Decode(AppendJSON(nil, &ev), &back))
		require.Equal(t, want, back, record)
		requireReject(t, d, head+`"available":false}`, event.MissingItem, "item_id") // nothing is left of the one before
	}
}

// Its money is converted as any other.
func TestItemUpdatedPrice(t *testing.T) {
	d := newDecoder(t, func(c *Config) { c.Currency = Currency{Base: "EUR", Rates: map[string]string{"USD": "0.9"}} })
	var ev event.Event
	require.NoError(t, d.Decode([]byte(`{"type":"item_updated","time":1,"item_id":"A","price":"10","currency":"USD"}`), &ev))
	require.Equal(t, 9*event.One, ev.Items[0].Price)
}

// A decoder takes the form of each record from its type, wherever that stands
// and whatever the record before was.
func TestFormsMixed(t *testing.T) {
	d := newDecoder(t)
	records := []string{
		nativeOrderLine, segmentOrder, nativeView, segmentView, nativeUpdate, segmentFull,
		`{"properties":{"order_id":"o","revenue":"3"},"userId":"u","event":"Order Completed","timestamp":1795253400000,"type":"track"}`,
		`{"properties":[1],"event":5,"customer_id":"u","amount":1,"time":1795253400000,"type":"order_completed"}`,
		`{"items":5,"userId":"u","timestamp":1795253400000,"type":"page"}`,
		`{"customer_id":5,"userId":"u","timestamp":1795253400000,"type":"page"}`,
		`{"userId":5,"customer_id":"u","time":1795253400000,"type":"page_viewed"}`,
	}
	for i := range 400 {
		a, b := records[i%len(records)], records[i/7%len(records)]
		for _, r := range []string{a, b} {
			var ev event.Event
			require.NoError(t, d.Decode([]byte(r), &ev), r)
			agree(t, d, []byte(r))
		}
	}
	// What says nothing of its form is native, whatever came before.
	var ev event.Event
	for _, before := range records {
		require.NoError(t, d.Decode([]byte(before), &ev))
		requireReject(t, d, `{"userId":5}`, event.MissingType, "type")
		require.NoError(t, d.Decode([]byte(before), &ev))
		requireReject(t, d, `{"customer_id":5,"x"`, event.WrongType, "customer_id")
	}
}

func requireReject(t *testing.T, d *JSON, record string, reason event.Reason, field string) {
	t.Helper()
	var ev event.Event
	err := d.Decode([]byte(record), &ev)
	var r *event.Reject
	require.ErrorAs(t, err, &r, "%.200s", record)
	require.Equal(t, reason, r.Reason, "%.200s: %v", record, err)
	require.Equal(t, field, r.Field, "%.200s: %v", record, err)
}

func TestConvert(t *testing.T) {
	d := newDecoder(t, func(c *Config) {
		c.Currency = Currency{Base: "EUR", Rates: map[string]string{"JPY": "0.00578", "USD": "0.9", "KWD": "2.8"}}
	})
	record := func(currency, amount string) string {
		return `{"type":"order_completed","customer_id":"c","time":1,"amount":` + amount + `,"currency":` + currency +
			`,"discount":1,"items":[{"item_id":"A","price":101,"cost":11}]}`
	}
	for _, c := range []struct{ currency, amount, want, discount, price, cost, is string }{
		{`"EUR"`, "19.80", "19.80", "1.00", "101.00", "11.00", "EUR"},
		{`"jpy"`, "1234.5", "7.13541", "0.00578", "0.58378", "0.06358", "EUR"},
		{`"USD"`, "0.000005", "0.000005", "0.90", "90.90", "9.90", "EUR"}, // 4.5 millionths: up
		{`null`, "5", "5.00", "1.00", "101.00", "11.00", ""},
	} {
		var ev event.Event
		require.NoError(t, d.Decode([]byte(record(c.currency, c.amount)), &ev), c.currency)
		require.Equal(t, []string{c.want, c.discount, c.price, c.cost, c.is},
			[]string{ev.Amount.String(), ev.Discount.String(), ev.Items[0].Price.String(), ev.Items[0].Cost.String(), ev.Currency})
	}
	requireReject(t, d, record(`"GBP"`, "1"), event.UnknownCurrency, "currency")
	requireReject(t, d, record(`"KWD"`, "5e12"), event.Overflow, "currency")
	requireReject(t, d, strings.Replace(record(`"KWD"`, "5"), `"cost":11`, `"cost":5e12`, 1), event.Overflow, "currency")
}

func TestUnknownTrackNames(t *testing.T) {
	record := func(name string) []byte {
		return []byte(`{"type":"track","userId":"u","timestamp":1795253400000,"event":"` + name + `"}`)
	}
	var ev event.Event
	d := newDecoder(t, func(c *Config) {
		c.Segment = Segment{Unknown: UnknownVisit, Names: map[string]string{"Talked_About": "referral_made"}}
	})
	require.NoError(t, d.Decode(record("Video Played"), &ev))
	require.Equal(t, event.PageViewed, ev.Type)
	require.NoError(t, d.Decode(record(strings.Repeat("long ", 30)), &ev))
	require.Equal(t, event.PageViewed, ev.Type)
	require.NoError(t, d.Decode(record("talked about"), &ev))
	require.Equal(t, event.ReferralMade, ev.Type)
	requireReject(t, d, string(record("Email Bounced")), event.UnknownType, "event")
	requireReject(t, newDecoder(t), string(record("Video Played")), event.UnknownType, "event")
}

func TestNoAllocations(t *testing.T) {
	d := newDecoder(t)
	var ev event.Event
	records := [][]byte{
		[]byte(nativeOrderLine), []byte(nativeView), []byte(nativeUpdate), []byte(segmentOrder), []byte(segmentView), []byte(segmentFull),
		[]byte(`{"type":"page","userId":"\u00e9\n\ud83d\ude00","timestamp":"2026-11-21T09:30:00Z"}`),
		[]byte(`{"type":"track","userId":"u","event":"Nobody Knows"}`),
		[]byte(`{"type":"order_completed","customer_id":"c","amount":-1}`),
		[]byte(`{"type":"order_compl`), []byte("{\"id\":\"\xff\"}"),
	}
	for _, r := range records {
		_ = d.Decode(r, &ev)
	}
	require.Zero(t, testing.AllocsPerRun(200, func() {
		for _, r := range records {
			_ = d.Decode(r, &ev)
		}
	}))
}

// TestAgainstPlain writes records from a grammar that is a little wrong
// everywhere, damages some, and compares with the plain decoder.
func TestAgainstPlain(t *testing.T) {
	d := newDecoder(t)
	d.Limit = 1795253400000
	accepted, rejected := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			data := genRecord(t)
			if rapid.IntRange(0, 9).Draw(t, "damage") == 7 {
				data = damage(t, data)
			}
			agree(t, d, data)
			var ev event.Event
			if d.Decode(data, &ev) == nil {
				accepted++
			} else {
				rejected++
			}
		}
	})
	require.Greater(t, accepted, rejected/4, "the generator must make enough good records (%d, %d bad)", accepted, rejected)
	require.Greater(t, rejected, accepted/4)
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{nativeOrderLine, nativeView, nativeUpdate, segmentOrder, segmentView, segmentFull} {
		f.Add([]byte(s))
	}
	for _, c := range malformed() {
		if len(c.record) < 4096 {
			f.Add([]byte(c.record))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := NewJSON(DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		agree(t, d, data)
		agree(t, d, data) // with the keys predicted
	})
}

var genValues = rapid.SampledFrom([]string{
	`""`, `"c-42"`, `"\u0041\ud83d\ude00\ud800\"\/\n"`, `"é€😀"`, `0`, `1`, `2.50`, `"3.25"`, `-1`, `"NaN"`, `1e3`, `1e400`, `9e12`,
	`"2026-11-21T09:30:00Z"`, `"2026-11-21T09:30:00.123456+09:00"`, `"2026-13-01T00:00:00Z"`, `1795253400000`, `1795253400001`,
	`true`, `false`, `null`, `{}`, `[]`, `{"a":[1,{"b":null}]}`, `[{}]`, `"EUR"`, `"usd"`, `"XXX"`, `"track"`, `"page_viewed"`,
	`01`, `tru`, `"\ud83d"`, `"\x"`, `10`, `11`,
})

// good are likely values of fields, so that many records are whole.
var good = map[string][]string{
	"type":        {`"order_completed"`, `"product_viewed"`, `"order_refunded"`, `"survey_answered"`, `"aliased"`, `"item_updated"`},
	"call":        {`"track"`, `"track"`, `"track"`, `"page"`, `"alias"`, `"identify"`},
	"event":       {`"Order Completed"`, `"product viewed"`, `"Order Refunded"`, `"Email Opened"`, `"Order Updated"`},
	"customer_id": {`"c-42"`, `"caf\u00e9"`}, "userId": {`"u-1"`, `null`, `""`}, "anonymousId": {`"a-1"`},
	"time": {`"2026-11-21T09:30:00Z"`, `1795253399999`, `"1970-01-01T00:00:00.001Z"`}, "timestamp": {`"2026-11-20T23:59:59.9Z"`, `null`},
	"sentAt": {`1795253000000`}, "order_id": {`"o-9"`}, "amount": {`19.80`, `"7"`}, "revenue": {`25`, `"25.00"`},
	"total": {`27.5`, `"3"`}, "tax": {`2`, `"1e12"`}, "shipping": {`3`, `9e12`}, "discount": {`2.5`, `9e12`}, "currency": {`"EUR"`},
	"items": {`[{"item_id":"A","price":"9.90","quantity":2}]`, `[{"item_id":"A","cost":"4.10"},{"cost":null,"item_id":"B"},{"item_id":"C","cost":0}]`, `[]`}, "products": {`[{"sku":"S","price":9e6,"quantity":1e6,"cost":1},{"product_id":"P"}]`},
	"product_id": {`"P"`}, "rating": {`7`, `"9.5"`}, "score": {`10`}, "previous_id": {`"p"`}, "previousId": {`"p"`}, "version": {`1`},
	"granted": {`true`, `false`}, "item_id": {`"A"`}, "category": {`"pizza"`}, "price": {`"9.90"`}, "available": {`true`, `false`}, "hidden": {`true`, `false`},
	"requires_consent": {`"alcohol"`, `""`},
}

func genRecord(t *rapid.T) []byte {
	names, nested := nativeNames[:], ""
	if rapid.Bool().Draw(t, "segment") {
		names, nested = segmentNames[:], "properties"
	}
	return genObject(t, names, nested)
}

func genObject(t *rapid.T, names []string, nested string) []byte {
	space := rapid.SampledFrom([]string{"", "", "", " ", "\n\t"})
	order := rapid.Permutation(names).Draw(t, "order")
	if rapid.IntRange(0, 19).Draw(t, "twice") == 13 {
		order = append(order, order[0])
	}
	if rapid.Bool().Draw(t, "more") {
		order = append(order, "context", "\\u0069d")
	}
	b := []byte("{")
	for _, name := range order {
		if rapid.IntRange(0, 7).Draw(t, "leave out") == 6 && name != "type" && name != "event" {
			continue
		}
		value := ""
		vs := good[name]
		if name == "type" && nested != "" && rapid.IntRange(0, 29).Draw(t, "other form") != 17 {
			vs = good["call"]
		}
		switch {
		case name == nested:
			value = string(genObject(t, propertyNames[:], ""))
		case len(vs) > 0 && rapid.IntRange(0, 99).Draw(t, "odd") != 77:
			value = rapid.SampledFrom(vs).Draw(t, "good")
		case len(vs) == 0 && rapid.IntRange(0, 29).Draw(t, "null") != 23:
			value = "null"
		default:
			value = genValues.Draw(t, "value")
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, space.Draw(t, "space")...)
		b = fmt.Appendf(b, "%q:%s%s", name, space.Draw(t, "space"), value)
		b = bytes.ReplaceAll(b, []byte(`\\u`), []byte(`\u`))
	}
	return append(b, '}')
}

// damage cuts, repeats or overwrites a byte.
func damage(t *rapid.T, data []byte) []byte {
	i := rapid.IntRange(0, len(data)-1).Draw(t, "at")
	switch rapid.IntRange(0, 3).Draw(t, "how") {
	case 0:
		return data[:i]
	case 1:
		return append(append(bytes.Clone(data[:i]), data[i]), data[i:]...)
	case 2:
		return append(bytes.Clone(data), data[:i]...)
	}
	out := bytes.Clone(data)
	out[i] = rapid.SampledFrom([]byte("\"\\{}[],:0e.-\xff\xc3 \x00ntf")).Draw(t, "byte")
	return out
}

func TestConfigFaultsAreJoined(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	c := Config{MaxBytes: 1, MaxDepth: 2, Currency: Currency{Base: "euro", Rates: map[string]string{"ABC": "1", "USD": "-1"}},
		Segment: Segment{Unknown: "drop", Names: map[string]string{"X": "y", " ": "page_viewed", "Restocked": "item_updated"}}}
	err := c.Validate()
	require.Error(t, err)
	for _, name := range []string{"max_bytes", "max_depth", "max_items", "max_string", "currency.base", "currency.rates.ABC",
		"currency.rates.USD", "segment.unknown", "segment.names.X", "segment.names.Restocked", "segment.names. "} {
		require.Contains(t, err.Error(), name+": ")
	}
	_, err = NewJSON(c)
	require.Error(t, err)
	require.True(t, json.Valid([]byte(segmentFull)))
}

// Events that are held keep their strings, escapes among them, until Release.
func TestHeldEventsKeepTheirStrings(t *testing.T) {
	d, err := NewJSON(DefaultConfig())
	require.NoError(t, err)
	d.Hold = true
	var evs [50]event.Event
	for i := range evs {
		line := fmt.Sprintf(`{"type":"page_viewed","customer_id":"c\u002d%d\n","time":"2026-01-01T00:00:00Z"}`, i)
		require.NoError(t, d.Decode([]byte(line), &evs[i]))
	}
	for i := range evs {
		require.Equal(t, fmt.Sprintf("c-%d\n", i), evs[i].CustomerID)
	}
	d.Release()
	require.NoError(t, d.Decode([]byte(`{"type":"page_viewed","customer_id":"\u0041","time":"2026-01-01T00:00:00Z"}`), &evs[0]))
	require.Equal(t, "A", evs[0].CustomerID)
}
