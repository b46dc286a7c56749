package score

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/clv"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

func compute(t require.TestingT, s *shop, now int64, change func(*Config)) *Scores {
	sc, m := newTestScorer(t, change)
	var doc Scores
	sc.Compute("c", &s.l, m, now, &doc)
	return &doc
}

// One who only looked has a document without scores.
func TestProspect(t *testing.T) {
	s := newShop()
	s.apply(event.Event{Type: event.ProductViewed, Time: epoch, Items: []event.Item{{ID: "A"}}})
	doc := compute(t, s, epoch+day, nil)
	require.Nil(t, doc.RFM)
	require.Nil(t, doc.Churn)
	require.Nil(t, doc.Loyalty)
	require.Empty(t, doc.Reasons)
	require.Equal(t, Journey{Stage: "prospect", Since: epoch}, doc.Journey)
	require.Equal(t, Contact{BestHour: -1, Permitted: doc.Contact.Permitted}, doc.Contact)
	sc, m := newTestScorer(t, nil)
	var em Emission
	d := sc.Update("c", &s.l, m, epoch, &em, &em, doc, nil)
	require.Equal(t, "journey.stage", d[0].Field)
	require.Equal(t, uint64(1), em.Version)
	require.Zero(t, em.Next)
	require.False(t, em.Buyer)
}

// Every field of one customer's document.
func TestDocumentOfARegular(t *testing.T) {
	s := pizza()
	s.order(epoch+189*day+day/2+3_600_000, 10*event.One, 2*event.One) // a second order that day
	s.apply(event.Event{Type: event.ReferralMade, Time: epoch + 190*day})
	s.apply(event.Event{Type: event.ConsentUpdated, Time: epoch + 190*day, Channel: "app", Granted: true})
	s.apply(event.Event{Type: event.OrderRefunded, Time: epoch + 191*day, OrderID: "o1", Amount: 5 * event.One, HasAmount: true})
	now := epoch + 189*day + 14*day
	doc := compute(t, s, now, nil)
	require.Equal(t, RFM{
		RecencyDays: 14, Frequency: 10, Monetary: event.Micro(200e6 + 8e6 - 5e6), R: 5, F: 5, M: 5,
		Segment: "champions", lastDay: doc.RFM.lastDay,
	}, *doc.RFM)
	require.InDelta(t, 21, doc.Churn.AverageGapDays, 1e-9)
	require.Equal(t, 90, doc.Churn.HorizonDays)
	require.Equal(t, "low", doc.Churn.Band)
	require.Greater(t, doc.Churn.PAlive, 0.9)
	require.Greater(t, doc.Churn.ExpectedNextOrder, now)
	require.Less(t, doc.Churn.ExpectedNextOrder, now+14*day)
	require.Equal(t, RhythmAlone, doc.Churn.Model)
	require.InDelta(t, 0.72, doc.Churn.Average, 0.005)
	orders := doc.Value.PredictedOrders // whoever is not lost comes some 17 times a year
	require.InDelta(t, 10.5, orders, 0.5)
	toCome := event.MicroOf(orders * 20.3 * clv.Discount(365, 0.1))
	require.Equal(t, Value{
		HistoricCLV: 203e6, HistoricOrders: 11, AverageOrderValue: event.Micro(203_000_000) / 11,
		PredictedOrders: orders, ExpectedOrderValue: 20_300_000, PredictedCLV: toCome, TotalCLV: 203e6 + toCome,
		HorizonDays: 365, Basis: Revenue,
	}, doc.Value)
	require.Equal(t, "advocate", doc.Journey.Stage)
	require.Equal(t, 3, doc.Journey.Level)
	require.Equal(t, epoch+190*day, doc.Journey.Since)
	require.Equal(t, Loyalty{
		Score: doc.Loyalty.Score, FullPriceShare: 10.0 / 11, CouponFreeShare: 1, Referrals: 1, Satisfaction: -1,
	}, *doc.Loyalty)
	require.InDelta(t, (.3*10/11+.2+.15/2)/.65, doc.Loyalty.Score, 1e-12)
	require.Equal(t, Contact{BestHour: 12, BestWeekday: 4, Channel: "app", Permitted: []string{"app"}}, doc.Contact)
	require.Equal(t, Evidence{Orders: 11, RhythmModel: 1, RFMCustomers: 100}, doc.Evidence)
	require.Equal(t, "10 purchase days, on average 21 days apart; a first-time buyer starts at 0.72", doc.Reasons[0].Text.String())
	require.Equal(t, "14 days since the last order; usual gap 21", doc.Reasons[1].Text.String())
}

// The effects of the churn reasons add up to the probability less a first-time
// buyer's on the day of the order, those of loyalty to its distance from 0.5.
func TestReasonsAddUp(t *testing.T) {
	fresh := 1 - rhythm.Default().Fresh().OrderWithin(0, 90)
	rapid.Check(t, func(t *rapid.T) {
		s, last := drawShop(t, 8)
		doc := compute(t, s, last+rapid.Int64Range(0, 900*day).Draw(t, "silence"), nil)
		require.InDelta(t, fresh, doc.Churn.Average, 1e-12)
		requireReasons(t, doc, 1e-12)
	})
}

// requireReasons wants reasons that add up and can be read.
func requireReasons(t require.TestingT, doc *Scores, tolerance float64) {
	sums := map[string]float64{}
	for _, r := range doc.Reasons {
		sums[r.Score] += r.Effect
		text := r.Text.String()
		words, err := json.Marshal(text)
		require.NoError(t, err)
		require.NotEmpty(t, text)
		require.Equal(t, `"`+text+`"`, string(words), "nothing to escape")
		require.NotContains(t, text, "NaN")
	}
	require.Len(t, sums, 2)
	require.InDelta(t, doc.Churn.Probability-doc.Churn.Average, sums["churn.probability"], tolerance)
	require.InDelta(t, doc.Loyalty.Score-.5, sums["loyalty.score"], tolerance)
}

// The window's measures against counting plainly.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, last := drawShop(t, 12)
		window := rapid.SampledFrom([]int{0, 1, 30, 365}).Draw(t, "window")
		now := last + rapid.Int64Range(0, 60*day).Draw(t, "silence")
		doc := compute(t, s, now, func(c *Config) { c.RFM.WindowDays = window })
		days, spent, all := map[int64]bool{}, event.Micro(0), event.Micro(0)
		for _, o := range s.l.Orders {
			d := o.Placed / day
			all += o.Amount
			if window == 0 || d > now/day-int64(window) {
				days[d] = true
				spent += o.Amount
			}
		}
		require.Equal(t, len(days), doc.RFM.Frequency)
		require.Equal(t, spent, doc.RFM.Monetary)
		require.Equal(t, float64(now/day-last/day), doc.RFM.RecencyDays)
		require.Equal(t, all, doc.Value.HistoricCLV)
	})
}

// A cancelled order is none: without another the customer is a prospect again.
func TestCancelledOrderIsNone(t *testing.T) {
	s := newShop()
	s.apply(event.Event{Type: event.OrderCompleted, Time: epoch, OrderID: "x", Amount: event.One, HasAmount: true})
	sc, m := newTestScorer(t, nil)
	var em Emission
	var doc Scores
	sc.Update("c", &s.l, m, epoch, &em, &em, &doc, nil)
	require.True(t, em.Buyer)
	s.apply(event.Event{Type: event.OrderCancelled, Time: epoch + 1, OrderID: "x"})
	d := sc.Update("c", &s.l, m, epoch+1, &em, &em, &doc, nil)
	require.False(t, em.Buyer)
	require.Nil(t, doc.RFM)
	require.Equal(t, Delta{"rfm.frequency", OfCount(1), Side{}}, d[0])
	require.Equal(t, uint64(2), doc.Version)
}

func TestPermitted(t *testing.T) {
	for _, c := range []struct {
		consents string // channel+ granted, channel- withdrawn, in time order
		want     []string
	}{
		{"", []string{}},
		{"app+", []string{"app"}},
		{"app+ app-", []string{}},
		{"+", []string{"all", "app"}},
		{"email+ sms+ sms-", []string{"email"}},
		{"+ sms-", []string{"app"}},
		{"sms- +", []string{"all", "sms", "app"}},
		{"email+ -", []string{}},
	} {
		s := newShop()
		s.order(epoch, event.One, 0)
		for i, w := range strings.Fields(c.consents) {
			s.apply(event.Event{Type: event.ConsentUpdated, Time: epoch + int64(i), Channel: w[:len(w)-1], Granted: w[len(w)-1] == '+'})
		}
		doc := compute(t, s, epoch+day, nil)
		require.Equal(t, c.want, append([]string{}, doc.Contact.Permitted...), c.consents)
	}
}

// More than the retained orders: what was folded still counts.
func TestFoldedOrdersCount(t *testing.T) {
	s := newShop()
	const n = 400
	for i := range int64(n) {
		s.order(epoch+i*2*day, event.One, 0)
	}
	require.Positive(t, s.l.Fold.Orders)
	now := epoch + (n-1)*2*day
	doc := compute(t, s, now, func(c *Config) { c.RFM.WindowDays = 0 })
	require.Equal(t, n, doc.Value.HistoricOrders)
	require.Equal(t, event.Micro(n)*event.One, doc.Value.HistoricCLV)
	require.Equal(t, n, doc.RFM.Frequency)
	require.InDelta(t, 2, doc.Churn.AverageGapDays, 1e-12)
	require.Equal(t, "regular", doc.Journey.Stage)
	require.Less(t, doc.Churn.BecomesOverdueAt, now+4*day)
}

// cdnow is the public sample of a CD shop, each customer's facts up to an
// instant, with the orders after it counted.
func cdnow(t *testing.T, until int64) (shops map[string]*shop, ids []string, after map[string]int) {
	dir := os.Getenv("DANGOL_DATA")
	if dir == "" {
		t.Skip("DANGOL_DATA is unset: " + t.Name() + " needs cdnow/CDNOW_sample.txt")
	}
	f, err := os.Open(filepath.Join(dir, "cdnow", "CDNOW_sample.txt"))
	require.NoError(t, err)
	defer f.Close()
	shops, after = map[string]*shop{}, map[string]int{}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		col := strings.Fields(sc.Text())
		at, err := time.Parse("20060102", col[2])
		require.NoError(t, err)
		amount, err := event.ParseMicro([]byte(col[4]))
		require.NoError(t, err)
		if at.UnixMilli() > until {
			after[col[1]]++
			continue
		}
		if shops[col[1]] == nil {
			shops[col[1]] = newShop()
			ids = append(ids, col[1])
		}
		shops[col[1]].order(at.UnixMilli(), amount, 0)
	}
	return shops, ids, after
}

// Who is said to be likely to buy within 91 days does: ranked as well as the
// published purchase models rank, and as often as said.
func TestChurnOnCDNOW(t *testing.T) {
	asOf := time.Date(1998, 3, 31, 0, 0, 0, 0, time.UTC).UnixMilli()
	shops, ids, after := cdnow(t, asOf)
	sc, m := newTestScorer(t, func(c *Config) { c.HorizonDays = 91 })
	var doc Scores
	var buys, stays []float64
	brier := 0.0
	for _, id := range ids {
		sc.Compute(id, &shops[id].l, m, asOf, &doc)
		p := 1 - doc.Churn.Probability
		if after[id] > 0 {
			buys = append(buys, p)
			brier += (1 - p) * (1 - p)
		} else {
			stays = append(stays, p)
			brier += p * p
		}
	}
	won := 0.0
	for _, b := range buys {
		for _, s := range stays {
			switch {
			case b > s:
				won++
			case b == s:
				won += 0.5
			}
		}
	}
	auc := won / float64(len(buys)*len(stays))
	t.Logf("AUC %.4f, Brier %.4f, base rate %.4f", auc, brier/float64(len(ids)), float64(len(buys))/float64(len(ids)))
	require.Greater(t, auc, 0.825)
	require.Less(t, brier/float64(len(ids)), 0.086)
}

// The public sample of a CD shop through the ledger and the scores: the
// figures that a plain computation gives.
func TestCDNOW(t *testing.T) {
	asOf := time.Date(1998, 7, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	shops, order, _ := cdnow(t, asOf)
	sc, m := newTestScorer(t, func(c *Config) { c.RFM.WindowDays = 0 })
	m.Cuts = Cuts{}
	agg, ems := NewAggregate(), map[string]*Emission{}
	var doc Scores
	for _, id := range order {
		em := new(Emission)
		sc.Update(id, &shops[id].l, m, asOf, em, em, &doc, nil)
		ems[id] = em
		agg.Add(em)
	}
	cuts := agg.Cuts(int32(asOf / day))
	require.Equal(t, [4]float64{153, 443, 487, 513}, cuts.Recency)
	require.Equal(t, [4]float64{1, 1, 2, 4}, cuts.Frequency)
	m.Cuts = cuts
	groups := map[string]int{}
	for _, id := range order {
		em := ems[id]
		agg.Remove(em)
		sc.Update(id, &shops[id].l, m, asOf, em, em, &doc, nil)
		agg.Add(em)
		g := fmt.Sprint(doc.RFM.R, doc.RFM.F, doc.RFM.M)
		groups[g]++
		switch id {
		case "0001":
			require.Equal(t, "4 4 4", g)
		case "0002":
			require.Equal(t, "1 3 4", g)
		}
	}
	require.InDelta(t, 233, groups["5 5 5"], 2)
	require.InDelta(t, 167, groups["1 1 1"], 2)
	p := agg.Population(asOf, cuts)
	require.Equal(t, 2357, p.Customers)
	require.Equal(t, 2357, p.Buyers)
	sum := 0
	for _, n := range p.Segments {
		sum += n
	}
	require.Equal(t, 2357, sum)
}
