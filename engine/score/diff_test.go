package score

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
)

func fields(ds []Delta) string {
	var f []string
	for _, d := range ds {
		f = append(f, d.Field)
	}
	return strings.Join(f, " ")
}

// The deltas stand in the order of the document, the first with all that is
// known, and none where nothing changed.
func TestDeltasOfAnOrder(t *testing.T) {
	s := newShop()
	sc, m := newTestScorer(t, nil)
	var em Emission
	var doc Scores
	s.order(epoch, 20*event.One, 0)
	d := sc.Update("c", &s.l, m, epoch, &em, &em, &doc, nil)
	require.Equal(t, "rfm.frequency rfm.monetary rfm.group rfm.segment churn.probability churn.band "+
		"value.historic_clv value.historic_number_of_orders journey.stage journey.level", fields(d))
	for _, x := range d {
		require.Nil(t, x.Old.Any(), x.Field)
		require.NotNil(t, x.New.Any(), x.Field)
	}
	require.Equal(t, uint64(1), doc.Version)
	require.Empty(t, sc.Update("c", &s.l, m, epoch+1, &em, &em, &doc, nil))
	require.Equal(t, uint64(1), doc.Version)
	require.Equal(t, epoch+1, em.AsOf)

	s.order(epoch+20*day, 60*event.One, 0)
	d = sc.Update("c", &s.l, m, epoch+20*day, &em, &em, &doc, nil)
	require.Equal(t, Delta{"rfm.frequency", OfCount(1), OfCount(2)}, d[0])
	require.Equal(t, Delta{"rfm.monetary", OfMoney(20 * event.One), OfMoney(80 * event.One)}, d[1])
	require.Equal(t, Delta{"rfm.group", OfText("512"), OfText("534")}, d[2])
	require.Equal(t, Delta{"rfm.segment", OfText("new"), OfText("potential_loyalist")}, d[3])
	require.Contains(t, fields(d), "journey.stage journey.level")
	require.Equal(t, "new", doc.RFM.PreviousSegment)

	// Another order keeps the segment, and with it the previous one.
	s.order(epoch+21*day, event.One, 0)
	m2 := *m
	m2.Cuts.Frequency = [4]float64{1, 1, 3, 4}
	sc.Update("c", &s.l, &m2, epoch+21*day, &em, &em, &doc, nil)
	require.Equal(t, "new", doc.RFM.PreviousSegment)
	require.Equal(t, "potential_loyalist", doc.RFM.Segment)
}

// A probability that wanders about a limit by less than the margin does not
// change the band, whatever it does; one that leaves by more, always.
func TestBandHysteresis(t *testing.T) {
	sc, _ := newTestScorer(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]float64{0.4, 0.7}).Draw(t, "limit")
		b := sc.cfg.band(limit+rapid.Float64Range(-0.019, 0.019).Draw(t, "start"), NoBand)
		for range 20 {
			p := limit + rapid.Float64Range(-0.019, 0.019).Draw(t, "p")
			require.Equal(t, b, sc.cfg.band(p, b))
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		p, from := rapid.Float64Range(0, 1).Draw(t, "p"), Band(rapid.IntRange(1, 3).Draw(t, "from"))
		plain := sc.cfg.band(p, NoBand)
		got := sc.cfg.band(p, from)
		near := math.Min(math.Abs(p-0.4), math.Abs(p-0.7)) < 0.02+1e-9
		require.True(t, got == plain || near && got == from, "%g from %s gives %s", p, from, got)
	})
	require.Equal(t, []Band{Low, Medium, Medium, High}, []Band{sc.cfg.band(0.39, NoBand), sc.cfg.band(0.4, NoBand), sc.cfg.band(0.69, NoBand), sc.cfg.band(0.7, NoBand)})
	require.Equal(t, High, sc.cfg.band(0.9, Low))
}

// offers is a Recommender that offers what it is told to.
type offers []string

func (o *offers) Offers(_ *ledger.Ledger, _ *OfferModel, _ int64, k int, out []Offer) []Offer {
	for _, id := range (*o)[:min(k, len(*o))] {
		out = append(out, Offer{ItemID: id, Kind: "cross_sell"})
	}
	return out
}

// The ranking of the offers is a transition, and so is what may be used to
// reach the customer.
func TestOffersAndConsent(t *testing.T) {
	rec := offers{"A", "B", "C", "D"}
	sc, m := newTestScorer(t, nil)
	sc.rec = &rec
	s := newShop()
	s.order(epoch, event.One, 0)
	var em Emission
	var doc Scores
	sc.Update("c", &s.l, m, epoch, &em, &em, &doc, nil)
	require.Len(t, doc.NextBest, 3)
	rec = offers{"A", "B", "C", "E"}
	require.Empty(t, sc.Update("c", &s.l, m, epoch, &em, &em, &doc, nil))
	rec = offers{"B", "A", "C"}
	requireList(t, "next_best", []string{"B", "A", "C"}, sc.Update("c", &s.l, m, epoch, &em, &em, &doc, nil))
	rec = offers{}
	requireList(t, "next_best", []string{}, sc.Update("c", &s.l, m, epoch, &em, &em, &doc, nil))
	s.apply(event.Event{Type: event.ConsentUpdated, Time: epoch, Channel: "sms", Granted: true})
	requireList(t, "contact.permitted", []string{"sms"}, sc.Update("c", &s.l, m, epoch, &em, &em, &doc, nil))
}

// asked is a Recommender that counts how often it is asked.
type asked struct {
	offers
	times int
}

func (a *asked) Offers(l *ledger.Ledger, m *OfferModel, now int64, k int, out []Offer) []Offer {
	a.times++
	return a.offers.Offers(l, m, now, k, out[:0])
}

// Refresh looks at the offers only where something else is to be said, and tells
// them then; else those that were told stand.
func TestRefresh(t *testing.T) {
	sc, m := newTestScorer(t, nil)
	rec := &asked{offers: offers{"A", "B", "C"}}
	sc.rec = rec
	s := newShop()
	s.order(epoch, event.One, 0)
	var em Emission
	var doc Scores
	sc.Update("c", &s.l, m, epoch, &em, &em, &doc, nil)
	require.Equal(t, 1, rec.times)
	told := em
	rec.offers = offers{"D"}
	require.Empty(t, sc.Refresh("c", &s.l, m, epoch+1, &em, &em, &doc, nil))
	require.Equal(t, 1, rec.times, "not asked")
	require.Equal(t, told.Offers, em.Offers)
	require.Equal(t, told.Version, em.Version)
	s.apply(event.Event{Type: event.ConsentUpdated, Time: epoch, Channel: "sms", Granted: true})
	deltas := sc.Refresh("c", &s.l, m, epoch+2, &em, &em, &doc, nil)
	require.Equal(t, "next_best contact.permitted", fields(deltas))
	require.Equal(t, []string{"D"}, deltas[0].New.Any())
	require.Equal(t, []Offer{{ItemID: "D", Kind: "cross_sell"}}, doc.NextBest)
	require.Equal(t, told.Version+1, em.Version)
}

// Where the offers are what they were, Refresh says and keeps what Update does.
func TestRefreshIsUpdate(t *testing.T) {
	sc, m := newTestScorer(t, nil)
	rec := offers{"A", "B", "C"}
	sc.rec = &rec
	rapid.Check(t, func(t *rapid.T) {
		s, last := drawShop(t, 6)
		now := last + rapid.Int64Range(0, 300*day).Draw(t, "silence")
		var em, want, got Emission
		var doc Scores
		sc.Update("c", &s.l, m, last, &em, &em, &doc, nil)
		expected := sc.Update("c", &s.l, m, now, &em, &want, &doc, nil)
		deltas := sc.Refresh("c", &s.l, m, now, &em, &got, &doc, nil)
		require.Equal(t, fields(expected), fields(deltas))
		require.Equal(t, want, got)
	})
}

// requireList wants one delta, of a list.
func requireList(t *testing.T, field string, want []string, got []Delta) {
	t.Helper()
	require.Len(t, got, 1)
	require.Equal(t, field, got[0].Field)
	require.Nil(t, got[0].Old.Any())
	require.Equal(t, want, got[0].New.Any())
}

// What a Side is made of is what it says.
func TestSide(t *testing.T) {
	require.Nil(t, Side{}.Any())
	for _, c := range []struct {
		side Side
		want any
	}{
		{OfText("a"), "a"}, {OfNumber(-.5), -.5}, {OfCount(-3), -3}, {OfMoney(-event.One), -event.One},
		{OfList([]string{"a", "b"}), []string{"a", "b"}}, {OfList(nil), []string{}},
	} {
		require.Equal(t, c.want, c.side.Any())
	}
}

// All that is said of a customer is said in memory that is there already: the
// document, its reasons and offers, the deltas, and the next crossing.
func TestUpdateDoesNotAllocate(t *testing.T) {
	sc, m := newTestScorer(t, nil)
	requireNoAllocations(t, sc, m)
	_, learned := simulated()
	sc, m = newLearnedScorer(t, learned, testRules(), nil)
	requireNoAllocations(t, sc, m)
}

func requireNoAllocations(t *testing.T, sc *Scorer, m *Models) {
	rec := offers{"A", "B", "C"}
	sc.rec = &rec
	for _, n := range []int64{1, 5} {
		s := newShop()
		s.apply(event.Event{Type: event.PageViewed, Time: epoch})
		s.apply(event.Event{Type: event.ComplaintRaised, Time: epoch + (n-1)*20*day})
		s.apply(event.Event{Type: event.ConsentUpdated, Time: epoch, Channel: "sms", Granted: true})
		for i := range n {
			s.order(epoch+i*20*day, event.One, 0)
		}
		var doc Scores
		var deltas []Delta
		var text []byte
		update := func() {
			var em Emission
			deltas = sc.Update("c", &s.l, m, s.l.Last+day, &em, &em, &doc, deltas[:0])
			for i := range doc.Reasons {
				text = doc.Reasons[i].Text.Append(text[:0])
			}
		}
		update()
		require.Contains(t, fields(deltas), "next_best contact.permitted")
		require.Contains(t, fields(deltas), "rfm.group")
		require.Zero(t, testing.AllocsPerRun(100, update), "%d orders", n)
	}
}

// What Compute and Update reuse leaves no trace in the next document, and a
// decoded Emission serves like the one that was kept.
func TestReuseLeavesNoTrace(t *testing.T) {
	sc, m := newTestScorer(t, nil)
	var doc Scores
	rapid.Check(t, func(t *rapid.T) {
		s, last := drawShop(t, 6)
		now := last + rapid.Int64Range(0, 300*day).Draw(t, "silence")
		var em, stored Emission
		sc.Update("c", &s.l, m, last, &em, &em, &doc, nil)
		require.NoError(t, stored.Decode(em.Append(nil)))
		require.Equal(t, em, stored)
		used := sc.Update("c", &s.l, m, now, &stored, &stored, &doc, nil)

		clean, _ := newTestScorer(t, nil)
		var fresh Scores
		d := clean.Update("c", &s.l, m, now, &em, &em, &fresh, nil)
		require.Equal(t, d, used)
		require.Equal(t, em, stored)
		require.Equal(t, *fresh.RFM, *doc.RFM)
		require.Equal(t, *fresh.Churn, *doc.Churn)
		require.Equal(t, append([]Reason{}, fresh.Reasons...), append([]Reason{}, doc.Reasons...))
		require.Equal(t, fresh.Value, doc.Value)
		require.Equal(t, fresh.Loyalty, doc.Loyalty)
		require.Equal(t, fresh.Journey, doc.Journey)
		require.Equal(t, fresh.Version, doc.Version)
	})
}
