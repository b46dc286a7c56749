package encode

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// obj is an object as encoding/json decodes it.
type obj = map[string]any

// decode reads one JSON value, and nothing behind it.
func decode(t require.TestingT, b []byte) any {
	var v any
	require.NoError(t, json.Unmarshal(b, &v), "%s", b)
	return v
}

// told is a value as encoding/json writes and reads it again, but for what this
// package promises of its own.
func told(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return v
	case event.Micro:
		return v.String()
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	return out
}

func instant(ms int64) any {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	if ms%1000 == 0 {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

// orNull is v, or nil if it says nothing.
func orNull(v any, says bool) any {
	if !says {
		return nil
	}
	return told(v)
}

// list is a list that is never null.
func list[T any](from []T, f func(T) any) any {
	out := []any{}
	for _, v := range from {
		out = append(out, f(v))
	}
	return out
}

func text(s string) any { return told(s) }

// plainScores is the document as a plain value.
func plainScores(s *score.Scores) obj {
	d := obj{
		"customer_id": told(s.CustomerID), "as_of": instant(s.AsOf), "rfm": nil, "churn": nil, "loyalty": nil,
		"value": obj{
			"historic_clv": told(s.Value.HistoricCLV), "historic_number_of_orders": told(s.Value.HistoricOrders),
			"average_order_value": told(s.Value.AverageOrderValue),

			"predicted_number_of_orders": orNull(s.Value.PredictedOrders, s.Churn != nil),
			"expected_order_value":       orNull(s.Value.ExpectedOrderValue, s.Churn != nil),
			"predicted_clv":              orNull(s.Value.PredictedCLV, s.Churn != nil),
			"total_clv":                  orNull(s.Value.TotalCLV, s.Churn != nil),
			"horizon_days":               orNull(s.Value.HorizonDays, s.Churn != nil),
			"basis":                      orNull(s.Value.Basis, s.Churn != nil),
			"historic_margin":            orNull(s.Value.HistoricMargin, s.Churn != nil && s.Value.Basis == "margin"),
		},
		"journey": obj{
			"stage": told(s.Journey.Stage), "level": told(s.Journey.Level),
			"since": instant(s.Journey.Since), "next_change_at": instant(s.Journey.NextChangeAt),
			"second_order_due_by": instant(s.Journey.SecondOrderDueBy),
		},
		"next_best": list(s.NextBest, func(o score.Offer) any {
			return plainOffer(&o, obj{"item_id": told(o.ItemID)})
		}),
		"contact": obj{
			"best_hour":    orNull(s.Contact.BestHour, s.Contact.BestHour >= 0),
			"best_weekday": orNull(s.Contact.BestWeekday, s.Contact.BestWeekday != 0),
			"channel":      orNull(s.Contact.Channel, s.Contact.Channel != ""),
			"permitted":    list(s.Contact.Permitted, text),
		},
		"reasons": list(s.Reasons, func(r score.Reason) any {
			return obj{"score": told(r.Score), "effect": told(r.Effect), "text": told(r.Text.String())}
		}),
		"evidence": obj{"orders": told(s.Evidence.Orders), "models": obj{
			"rhythm": told(s.Evidence.RhythmModel), "churn_labels": told(s.Evidence.ChurnLabels), "basket": told(s.Evidence.BasketOrders), "rfm": told(s.Evidence.RFMCustomers),
		}},
		"next_change": nil,
	}
	if s.NextChange.At != 0 {
		d["next_change"] = obj{"at": instant(s.NextChange.At), "what": told(s.NextChange.Timer.String())}
	}
	if s.Version != 0 {
		d["version"] = told(s.Version)
	}
	if r := s.RFM; r != nil {
		rfm := obj{
			"recency_days": told(r.RecencyDays), "frequency": told(r.Frequency), "monetary": told(r.Monetary),
			"r": told(r.R), "f": told(r.F), "m": told(r.M), "group": string([]byte{'0' + r.R, '0' + r.F, '0' + r.M}),
			"segment": told(r.Segment),
		}
		if r.PreviousSegment != "" {
			rfm["previous_segment"] = told(r.PreviousSegment)
		}
		d["rfm"] = rfm
	}
	if c := s.Churn; c != nil {
		d["churn"] = obj{
			"probability": told(c.Probability), "horizon_days": told(c.HorizonDays), "band": told(c.Band),
			"p_alive": told(c.PAlive), "overdue_percentile": told(c.OverduePercentile),
			"average_days_between_orders": orNull(c.AverageGapDays, c.AverageGapDays != 0),
			"expected_date_of_next_order": instant(c.ExpectedNextOrder), "becomes_overdue_at": instant(c.BecomesOverdueAt),
			"model": told(c.Model), "average_probability": told(c.Average),
		}
	}
	if l := s.Loyalty; l != nil {
		d["loyalty"] = obj{
			"score": told(l.Score), "full_price_share": told(l.FullPriceShare), "coupon_free_share": told(l.CouponFreeShare),
			"category_breadth": told(l.CategoryBreadth), "referrals": told(l.Referrals),
			"satisfaction": orNull(l.Satisfaction, !(l.Satisfaction < 0)),
		}
	}
	return d
}

// plainOffer puts an offer into an object that says whose or what it is.
func plainOffer(o *score.Offer, into obj) obj {
	into["kind"], into["score"], into["value"], into["because"] = told(o.Kind), told(o.Score), nil, plainBecause(o.Because)
	if o.Value > 0 {
		into["value"] = told(event.MicroOf(o.Value))
	}
	return into
}

func plainBecause(because []score.Because) any {
	return list(because, func(b score.Because) any {
		rule := obj{
			"item_ids": list(b.ItemIDs, text), "support": told(b.Support), "confidence": told(b.Confidence), "lift": told(b.Lift),
		}
		if b.Kind != "" {
			rule["kind"] = told(b.Kind)
		}
		return rule
	})
}

func plainChange(c *score.Change) obj {
	cause := obj{"kind": told(c.Cause.Kind)}
	if c.Cause.EventID != "" {
		cause["event_id"] = told(c.Cause.EventID)
	}
	if c.Cause.Timer != "" {
		cause["timer"] = told(c.Cause.Timer)
	}
	changed := obj{}
	for _, d := range c.Changed {
		changed[told(d.Field).(string)] = []any{told(d.Old.Any()), told(d.New.Any())}
	}
	out := obj{
		"customer_id": told(c.CustomerID), "at": instant(c.At), "cause": cause, "changed": changed, "scores": nil,
	}
	if c.Version != 0 {
		out["version"] = told(c.Version)
	}
	if c.Scores != nil {
		out["scores"] = plainScores(c.Scores)
	}
	return out
}

// requireSame compares decoded values; numbers agree to half a millionth, or
// to what a float64 tells.
func requireSame(t require.TestingT, want, got any, path string) {
	switch w := want.(type) {
	case obj:
		g, ok := got.(obj)
		require.True(t, ok, path)
		for k := range g {
			require.Contains(t, w, k, path)
		}
		for k := range w {
			require.Contains(t, g, k, path)
			requireSame(t, w[k], g[k], path+"."+k)
		}
	case []any:
		g, ok := got.([]any)
		require.True(t, ok, path)
		require.Len(t, g, len(w), path)
		for i := range w {
			requireSame(t, w[i], g[i], path)
		}
	case float64:
		tolerance := 5.0001e-7 + math.Abs(w)*1e-15
		if math.Abs(w) >= exact {
			tolerance = .5
		}
		require.InDelta(t, w, got, tolerance, path)
	default:
		require.Equal(t, want, got, path)
	}
}

var (
	anyString = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", `"\/`, "\x00\x1f\x7f\b\f\n\r\t", "\xff\xc3(", "é\u2028\U0001f355<&>", "\xed\xa0\x80",
	}))
	anyFloat = rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64(), rapid.SampledFrom([]float64{
		0, math.Copysign(0, -1), exact - .1, exact + .3, -1e-9, 1, 1e300, math.NaN(), math.Inf(1), math.Inf(-1), .9999999,
	}))
	anyMoney = rapid.Map(rapid.Int64(), func(v int64) event.Micro { return event.Micro(v) })
	anyTime  = rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(firstTime, lastTime))
	anyInt   = rapid.Int()
)

func anyScores(t *rapid.T) *score.Scores {
	s := &score.Scores{
		CustomerID: anyString.Draw(t, "customer"), AsOf: anyTime.Draw(t, "as of"), Version: rapid.Uint64Range(0, 1<<53).Draw(t, "version"),
		Value: score.Value{
			HistoricCLV: anyMoney.Draw(t, "clv"), HistoricOrders: anyInt.Draw(t, "orders"), AverageOrderValue: anyMoney.Draw(t, "average"),
			PredictedOrders: anyFloat.Draw(t, "predicted"), ExpectedOrderValue: anyMoney.Draw(t, "expected value"),
			PredictedCLV: anyMoney.Draw(t, "predicted clv"), TotalCLV: anyMoney.Draw(t, "total clv"), HorizonDays: anyInt.Draw(t, "ahead"),
			Basis: rapid.SampledFrom([]string{score.Revenue, score.Margin}).Draw(t, "basis"), HistoricMargin: anyMoney.Draw(t, "margin"),
		},
		Journey: score.Journey{
			Stage: anyString.Draw(t, "stage"), Level: anyInt.Draw(t, "level"),
			Since: anyTime.Draw(t, "since"), NextChangeAt: anyTime.Draw(t, "change"), SecondOrderDueBy: anyTime.Draw(t, "due"),
		},
		Contact: score.Contact{
			BestHour: rapid.IntRange(-1, 23).Draw(t, "hour"), BestWeekday: rapid.IntRange(0, 7).Draw(t, "weekday"),
			Channel: anyString.Draw(t, "channel"), Permitted: rapid.SliceOfN(anyString, 0, 2).Draw(t, "permitted"),
		},
		NextChange: score.NextChange{
			At: anyTime.Draw(t, "time alone"), Timer: rapid.Custom(func(t *rapid.T) score.Timer { return score.Timer(rapid.Uint8().Draw(t, "n")) }).Draw(t, "timer"),
		},
		Evidence: score.Evidence{Orders: anyInt.Draw(t, "n"), RhythmModel: 1, ChurnLabels: anyInt.Draw(t, "labels"), BasketOrders: 2, RFMCustomers: 3},
	}
	if rapid.Bool().Draw(t, "buyer") {
		digit := rapid.Uint8Range(1, 5)
		s.RFM = &score.RFM{
			RecencyDays: anyFloat.Draw(t, "recency"), Frequency: anyInt.Draw(t, "frequency"), Monetary: anyMoney.Draw(t, "monetary"),
			R: digit.Draw(t, "r"), F: digit.Draw(t, "f"), M: digit.Draw(t, "m"),
			Segment: anyString.Draw(t, "segment"), PreviousSegment: anyString.Draw(t, "previous"),
		}
		s.Churn = &score.Churn{
			Probability: anyFloat.Draw(t, "probability"), HorizonDays: 90, Band: "low", PAlive: anyFloat.Draw(t, "alive"),
			OverduePercentile: anyFloat.Draw(t, "percentile"), AverageGapDays: anyFloat.Draw(t, "gap"),
			ExpectedNextOrder: anyTime.Draw(t, "next"), BecomesOverdueAt: anyTime.Draw(t, "overdue"),
			Model: anyString.Draw(t, "model"), Average: anyFloat.Draw(t, "average probability"),
		}
		s.Loyalty = &score.Loyalty{
			Score: anyFloat.Draw(t, "loyalty"), FullPriceShare: anyFloat.Draw(t, "share"), CouponFreeShare: anyFloat.Draw(t, "coupon free"),
			CategoryBreadth: anyInt.Draw(t, "breadth"), Referrals: anyInt.Draw(t, "referrals"),
			Satisfaction: rapid.OneOf(rapid.Just(-1.), rapid.Float64Range(0, 1)).Draw(t, "satisfaction"),
		}
	}
	s.NextBest = rapid.SliceOfN(rapid.Custom(anyOffer), 0, 2).Draw(t, "offers")
	for range rapid.IntRange(0, 2).Draw(t, "reasons") {
		s.Reasons = append(s.Reasons, score.Reason{
			Score: anyString.Draw(t, "of"), Effect: anyFloat.Draw(t, "effect"), Text: score.Words(anyString.Draw(t, "text")),
		})
	}
	return s
}

func anyOffer(t *rapid.T) score.Offer {
	o := score.Offer{ItemID: anyString.Draw(t, "item"), Kind: "repeat", Score: anyFloat.Draw(t, "score"), Value: anyFloat.Draw(t, "value")}
	for range rapid.IntRange(0, 2).Draw(t, "because") {
		o.Because = append(o.Because, score.Because{
			ItemIDs: rapid.SliceOfN(anyString, 0, 2).Draw(t, "ids"), Kind: anyString.Draw(t, "evidence"),
			Support: anyFloat.Draw(t, "support"), Confidence: anyFloat.Draw(t, "confidence"), Lift: anyFloat.Draw(t, "lift"),
		})
	}
	return o
}

func anyChange(t *rapid.T) *score.Change {
	c := &score.Change{
		CustomerID: anyString.Draw(t, "customer"), At: anyTime.Draw(t, "at"), Version: rapid.Uint64Range(0, 1<<53).Draw(t, "version"),
		Cause: score.Cause{Kind: "event", EventID: anyString.Draw(t, "event"), Timer: anyString.Draw(t, "timer")},
	}
	value := rapid.OneOf(
		rapid.Just(score.Side{}), rapid.Map(anyString, score.OfText), rapid.Map(anyFloat, score.OfNumber),
		rapid.Map(anyInt, score.OfCount), rapid.Map(anyMoney, score.OfMoney),
		rapid.Map(rapid.SliceOfN(rapid.String(), 0, 3), score.OfList),
	)
	for _, f := range rapid.SliceOfNDistinct(rapid.String(), 0, 4, rapid.ID).Draw(t, "fields") {
		c.Changed = append(c.Changed, score.Delta{Field: f, Old: value.Draw(t, "old"), New: value.Draw(t, "new")})
	}
	if rapid.Bool().Draw(t, "known") {
		c.Scores = anyScores(t)
	}
	return c
}

// change is AppendChange with the document that belongs to it.
func change(dst []byte, c *score.Change) []byte {
	var doc []byte
	if c.Scores != nil {
		doc = JSON{}.AppendScores(nil, c.Scores)
	}
	return JSON{}.AppendChange(dst, c, doc)
}

func TestDocumentsSayWhatEncodingJSONWouldRead(t *testing.T) {
	before := []byte("before")
	rapid.Check(t, func(t *rapid.T) {
		c := anyChange(t)
		got := change(before, c)
		require.True(t, bytes.HasPrefix(got, before))
		requireSame(t, plainChange(c), decode(t, got[len(before):]), "")
	})
}

// The order of a Change's fields is that of its deltas.
func TestChangedKeepsItsOrder(t *testing.T) {
	got := change(nil, &score.Change{Changed: []score.Delta{{Field: "b", New: score.OfCount(1)}, {Field: "a", New: score.OfCount(2)}}})
	require.Contains(t, string(got), `"changed":{"b":[null,1],"a":[null,2]}`)
}

func TestListsOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &score.Population{
			AsOf: anyTime.Draw(t, "as of"), Customers: anyInt.Draw(t, "customers"), Buyers: anyInt.Draw(t, "buyers"),
			Segments: rapid.MapOfN(rapid.String(), anyInt, 0, 4).Draw(t, "segments"), Stages: map[string]int{"a": 1},
			Levels: [4]int{anyInt.Draw(t, "level 0"), 2, 3, anyInt.Draw(t, "level 3")}, Profile: anyString.Draw(t, "profile"),
			Migrations: rapid.MapOfN(rapid.String(), rapid.MapOfN(rapid.String(), anyInt, 0, 3), 0, 3).Draw(t, "migrations"),
		}
		want := obj{
			"as_of": instant(p.AsOf), "customers": told(p.Customers), "buyers": told(p.Buyers),
			"segments": told(p.Segments), "stages": told(p.Stages), "bands": obj{}, "cuts": nil,
			"levels":  obj{"0": told(p.Levels[0]), "1": 2., "2": 3., "3": told(p.Levels[3])},
			"profile": orNull(p.Profile, p.Profile != ""), "migrations": told(p.Migrations),
		}
		if p.Cuts.Customers = rapid.IntRange(-1, 2).Draw(t, "rest on"); p.Cuts.Customers != 0 {
			p.Cuts.Recency, p.Cuts.Frequency, p.Cuts.Monetary = [4]float64{1, 2, 3, 4}, [4]float64{5, 6, 7, 8}, [4]float64{.25, .5, .75, 1}
			want["cuts"] = obj{
				"recency_days": told(p.Cuts.Recency), "frequency": told(p.Cuts.Frequency), "monetary": told(p.Cuts.Monetary),
				"customers": told(max(0, p.Cuts.Customers)),
			}
		}
		requireSame(t, want, decode(t, JSON{}.AppendPopulation(nil, p)), "")
	})
}

func TestNumbers(t *testing.T) {
	for f, want := range map[float64]string{
		12: "12.0", 0: "0.0", .35: "0.35", 1. / 3: "0.333333", 2. / 3: "0.666667", -4e-7: "0.0", -.08: "-0.08", 100: "100.0", .9999999: "1.0",
		-1.5: "-1.5", .000001: "0.000001", 3.040367: "3.040367", 1 << 53: "9007199254740992.0", -1e10: "-10000000000.0",
	} {
		require.Equal(t, want, string(appendFloat(nil, f)))
	}
	require.Equal(t, "0.0", string(appendFloat(nil, math.Copysign(0, -1))))
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		require.Equal(t, "null", string(appendFloat(nil, f)))
	}
}

func TestTimes(t *testing.T) {
	for ms, want := range map[int64]string{
		0: `null`, 1: `"1970-01-01T00:00:00.001Z"`, -1: `"1969-12-31T23:59:59.999Z"`, 1000: `"1970-01-01T00:00:01Z"`,
		firstTime: `"0000-01-01T00:00:00Z"`, firstTime - 1: `null`,
		lastTime: `"9999-12-31T23:59:59.999Z"`, lastTime + 1: `null`, math.MinInt64: `null`, math.MaxInt64: `null`,
	} {
		require.Equal(t, want, string(appendTime(nil, ms)))
	}
}

// A date is that of package time, on every day that RFC 3339 can name.
func TestEveryDay(t *testing.T) {
	for ms := int64(firstTime); ms < lastTime; ms += dayMS {
		year, month, day := date(uint32((ms - firstTime) / dayMS))
		y, m, d := time.UnixMilli(ms).UTC().Date()
		if int(year) != y || int(month) != int(m) || int(day) != d {
			t.Fatalf("day of %d ms: %d-%d-%d, want %d-%d-%d", ms, year, month, day, y, m, d)
		}
	}
}

// Rounding is that of math.Round, also next to a half.
func TestRounding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := float64(rapid.Int64Range(-1e9, 1e9).Draw(t, "halves")) / 2e6
		for range rapid.IntRange(0, 2).Draw(t, "ulps") {
			f = math.Nextafter(f, rapid.SampledFrom([]float64{-1e12, 1e12}).Draw(t, "towards"))
		}
		got, err := strconv.ParseFloat(string(appendFloat(nil, f)), 64)
		require.NoError(t, err)
		require.Equal(t, math.Round(f*1e6)/1e6, got)
	})
}

func FuzzString(f *testing.F) {
	f.Add("plain")
	f.Add("\x00\"\\\xff\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		require.Equal(t, told(s), decode(t, appendString(nil, s)))
	})
}

func TestDocumentsDoNotAllocate(t *testing.T) {
	c := exampleChange()
	dst := make([]byte, 0, 8192)
	doc := make([]byte, 0, 8192)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		doc = JSON{}.AppendScores(doc[:0], c.Scores)
		dst = JSON{}.AppendChange(dst[:0], c, doc)
	}))
}

func exampleChange() *score.Change {
	return &score.Change{
		CustomerID: "c-42", At: at("2026-11-21T09:30:00Z"), Version: 17, Cause: score.Cause{Kind: "event", EventID: "e-1"},
		Changed: []score.Delta{{Field: "churn.band", Old: score.OfText("low"), New: score.OfText("medium")}, {Field: "churn.probability", Old: score.OfNumber(.3), New: score.OfNumber(.4)}},
		Scores:  regular(),
	}
}

// Both records of a change: the document for one topic, and around it the
// change for the other.
func BenchmarkAppendChange(b *testing.B) {
	c := exampleChange()
	var dst, doc []byte
	b.ReportAllocs()
	for b.Loop() {
		doc = JSON{}.AppendScores(doc[:0], c.Scores)
		dst = JSON{}.AppendChange(dst[:0], c, doc)
	}
	b.SetBytes(int64(len(dst) + len(doc)))
}

func BenchmarkAppendScores(b *testing.B) {
	s := regular()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = JSON{}.AppendScores(dst[:0], s)
	}
	b.SetBytes(int64(len(dst)))
}
