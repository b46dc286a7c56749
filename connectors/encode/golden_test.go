package encode

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func at(s string) int64 {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

// regular is a customer of whom everything is known.
func regular() *score.Scores {
	return &score.Scores{
		CustomerID: "c-42", AsOf: at("2026-11-21T09:30:00.25Z"), Version: 17,
		RFM: &score.RFM{
			RecencyDays: 12, Frequency: 3, Monetary: 88_100_000, R: 5, F: 4, M: 4,
			Segment: "loyal", PreviousSegment: "potential_loyalist",
		},
		Churn: &score.Churn{
			Probability: .12, HorizonDays: 90, Band: "low", PAlive: .93, OverduePercentile: 1. / 3,
			AverageGapDays: 21, ExpectedNextOrder: at("2026-11-30T00:00:00Z"), BecomesOverdueAt: at("2026-12-14T08:00:00Z"),
			Model: score.LearnedModel, Average: .41,
		},
		Value: score.Value{
			HistoricCLV: 264_300_000, HistoricOrders: 3, AverageOrderValue: 88_100_000,
			PredictedOrders: 2.1, ExpectedOrderValue: 90_480_000, PredictedCLV: 190_020_000, TotalCLV: 454_320_000,
			HorizonDays: 365, Basis: score.Revenue,
		},
		Journey: score.Journey{Stage: "repeat", Level: 2, Since: at("2026-08-01T00:00:00Z"), NextChangeAt: at("2026-12-14T08:00:00Z")},
		Loyalty: &score.Loyalty{Score: .784375, FullPriceShare: .8, CouponFreeShare: 1, CategoryBreadth: 4, Referrals: 1, Satisfaction: -1},
		NextBest: []score.Offer{
			{ItemID: "B", Kind: "cross_sell", Score: .31, Value: .31 * 19.9, Because: []score.Because{
				{ItemIDs: []string{"A"}, Kind: "same_customer", Support: .01, Confidence: .41, Lift: 3.2},
				{ItemIDs: []string{"C", "D"}, Kind: "same_order", Support: .002, Confidence: .3, Lift: 1e-9},
			}},
			{ItemID: "Käse \"jung\"", Kind: "repeat", Score: .3, Because: []score.Because{
				{ItemIDs: []string{"Käse \"jung\""}, Support: .02, Confidence: .5, Lift: 25},
			}},
			{ItemID: "E", Kind: "up_sell", Score: .02, Value: 1e-7},
		},
		Contact:    score.Contact{BestHour: 19, BestWeekday: 5, Channel: "app", Permitted: []string{"app", "email"}},
		Reasons:    []score.Reason{{Score: "churn.probability", Effect: -.08, Text: score.Words("35 days since the last order; usual gap 21")}},
		NextChange: score.NextChange{At: at("2026-12-01T00:00:00Z"), Timer: score.TimerRecency},
		Evidence:   score.Evidence{Orders: 3, RhythmModel: 7, ChurnLabels: 8120, BasketOrders: 9041, RFMCustomers: 33},
	}
}

// seller is regular in a shop that says what its goods cost.
func seller() *score.Scores {
	s := regular()
	s.Value.Basis, s.Value.HistoricMargin = score.Margin, 101_500_000
	s.Value.PredictedCLV, s.Value.TotalCLV = 73_010_000, 174_510_000
	s.Loyalty.Satisfaction, s.NextChange = .45, score.NextChange{}
	return s
}

// stranger is a customer who only looked.
func stranger() *score.Scores {
	return &score.Scores{
		CustomerID: "c-1", AsOf: at("2026-11-21T09:30:00Z"),
		Journey: score.Journey{Stage: "prospect"}, Contact: score.Contact{BestHour: -1},
	}
}

// beef is what goes with beef, of plain and of decayed counts.
func beef() *score.ItemAffinities {
	return &score.ItemAffinities{ItemID: "beef", AsOf: at("2026-11-21T09:30:00Z"), Kinds: [4][]score.Affinity{
		{
			{ItemID: "root vegetables", Count: 171, Support: 171. / 9835, Confidence: .3313953, Lift: 3.0403668, Leverage: .011668, LLR: 191.25, Strength: .2125},
			{ItemID: "whole milk", Count: 209, Short: 1.5, Support: .021251, Confidence: .405039, Lift: 1.585180, Leverage: .007845, LLR: 49.5, Strength: .1375},
		},
		{}, nil, {{ItemID: "beef \"jung\"", Count: 2.71828, Support: .001, Confidence: .5, Lift: 12, Leverage: .000916, LLR: 7.5, Strength: .25}},
	}}
}

// together are offers to nobody in particular: without a kind or a value.
func together() []score.Offer {
	return []score.Offer{
		{ItemID: "root vegetables", Score: .4375, Because: []score.Because{
			{ItemIDs: []string{"beef", "soda"}, Kind: "same_order", Support: .002, Confidence: .4, Lift: 3.5},
			{ItemIDs: []string{"beef"}, Kind: "same_order", Support: .017387, Confidence: .331395, Lift: 3.040367},
		}},
		{ItemID: "whole milk", Score: .1375},
	}
}

func documents() map[string][]byte {
	var j JSON
	return map[string][]byte{
		"scores_regular":  j.AppendScores(nil, regular()),
		"scores_margin":   j.AppendScores(nil, seller()),
		"scores_stranger": j.AppendScores(nil, stranger()),
		"change_event": change(nil, &score.Change{
			CustomerID: "c-42", At: at("2026-11-21T09:30:00Z"), Version: 17,
			Cause: score.Cause{Kind: "event", EventID: "e-1"},
			Changed: []score.Delta{
				{Field: "rfm.segment", New: score.OfText("loyal")},
				{Field: "churn.probability", Old: score.OfNumber(.25), New: score.OfNumber(.12)},
				{Field: "journey.level", Old: score.OfCount(1), New: score.OfCount(2)},
				{Field: "value.historic_clv", Old: score.OfMoney(0), New: score.OfMoney(264*event.One + 300_000)},
				{Field: "next_best", Old: score.OfList(nil), New: score.OfList([]string{"B", "C"})},
			},
			Scores: regular(),
		}),
		"change_timer": change(nil, &score.Change{
			CustomerID: "c-1", At: at("2026-11-21T09:30:00Z"), Version: 2,
			Cause: score.Cause{Kind: "timer", Timer: "journey.stage"}, Scores: stranger(),
		}),
		"change_erased": change(nil, &score.Change{
			CustomerID: "c-1", At: at("2026-11-21T09:30:00Z"), Version: 3, Cause: score.Cause{Kind: "event"},
		}),
		"population": j.AppendPopulation(nil, &score.Population{
			AsOf: at("2026-11-21T09:30:00Z"), Customers: 100, Buyers: 40,
			Segments: map[string]int{"loyal": 30, "at_risk": 10}, Stages: map[string]int{"repeat": 40},
			Bands:  map[string]int{"low": 40},
			Levels: [4]int{60, 25, 10, 5}, Profile: "pyramid",
			Migrations: map[string]map[string]int{"loyal": {"champions": 3, "at_risk": 2}, "at_risk": {"loyal": 1}},
			Cuts: score.Cuts{
				Recency: [4]float64{153, 443, 487, 513}, Frequency: [4]float64{1, 1, 2, 4},
				Monetary: [4]float64{15.36, 31.958, 59.25, 130.436}, Customers: 40,
			},
		}),
		"population_empty": j.AppendPopulation(nil, &score.Population{}),
		"affinities":       j.AppendNeighbours(nil, "beef", "same_order", beef().Kinds[0]),
		"affinities_none":  j.AppendNeighbours(nil, "beef", "next_order", nil),
		"affinities_topic": j.AppendAffinities(nil, beef()),
		"together":         j.AppendTogether(nil, []string{"beef", "soda"}, []string{"unicorn"}, "same_order", together()),
		"together_none":    j.AppendTogether(nil, []string{"beef"}, nil, "same_session", nil),
		"audience": j.AppendAudience(nil, "B", []score.Target{
			{CustomerID: "c-42", Offer: regular().NextBest[0]}, {CustomerID: "단골", Offer: regular().NextBest[1]},
		}),
		"audience_none":   j.AppendAudience(nil, "B", nil),
		"models":          j.AppendModels(nil, learned()),
		"models_built_in": j.AppendModels(nil, score.BuiltIn(90)),
	}
}

// The bytes of the documents are a contract with their readers: a field that
// moves, or a number told differently, shows here.
func TestGolden(t *testing.T) {
	for name, got := range documents() {
		t.Run(name, func(t *testing.T) {
			require.True(t, json.Valid(got), "%s", got)
			path := filepath.Join("testdata", name+".json")
			got = append(got, '\n')
			if *rewrite {
				require.NoError(t, os.WriteFile(path, got, 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got))
		})
	}
}
