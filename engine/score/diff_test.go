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
		require.Nil(t, x.Old, x.Field)
		require.NotNil(t, x.New, x.Field)
	}
	require.Equal(t, uint64(1), doc.Version)
	require.Empty(t, sc.Update("c", &s.l, m, epoch+1, &em, &em, &doc, nil))
	require.Equal(t, uint64(1), doc.Version)
	require.Equal(t, epoch+1, em.AsOf)

	s.order(epoch+20*day, 60*event.One, 0)
	d = sc.Update("c", &s.l, m, epoch+20*day, &em, &em, &doc, nil)
	require.Equal(t, Delta{"rfm.frequency", 1, 2}, d[0])
	require.Equal(t, Delta{"rfm.monetary", 20 * event.One, 80 * event.One}, d[1])
	require.Equal(t, Delta{"rfm.group", "512", "534"}, d[2])
	require.Equal(t, Delta{"rfm.segment", "new", "potential_loyalist"}, d[3])
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

func (o *offers) Offers(_ *ledger.Ledger, _ int64, k int, out []Offer) []Offer {
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
	require.Equal(t, []Delta{{"next_best", nil, []string{"B", "A", "C"}}}, sc.Update("c", &s.l, m, epoch, &em, &em, &doc, nil))
	rec = offers{}
	require.Equal(t, []Delta{{"next_best", nil, []string{}}}, sc.Update("c", &s.l, m, epoch, &em, &em, &doc, nil))
	s.apply(event.Event{Type: event.ConsentUpdated, Time: epoch, Channel: "sms", Granted: true})
	require.Equal(t, []Delta{{"contact.permitted", nil, []string{"sms"}}}, sc.Update("c", &s.l, m, epoch, &em, &em, &doc, nil))
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
		require.Equal(t, fresh.Reasons, doc.Reasons)
		require.Equal(t, fresh.Journey, doc.Journey)
		require.Equal(t, fresh.Version, doc.Version)
	})
}
