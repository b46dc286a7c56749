package metrics

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// offerSeries are the values of what a scrape says of offers.
func offerSeries(t *testing.T, v nextbest.Verdict) map[string]string {
	t.Helper()
	values := map[string]string{}
	for name, text := range collect(t, pipeline.Stats{Verdict: v}) {
		if strings.HasPrefix(name, "dangol_nextbest_") {
			text = strings.ReplaceAll(text, " ", "")
			values[name] = strings.TrimSuffix(strings.TrimPrefix(text, "counter:{value:"), "}")
		}
	}
	return values
}

func TestOffers(t *testing.T) {
	var v nextbest.Verdict
	want := map[string]string{}
	for way, by := range []string{"dangol", "favourites", "popularity"} {
		for part, name := range []string{"all", "new", "repeated"} {
			h := nextbest.Hits{Orders: float64(1000 - part), Recall: float64(10*way+part) + .25, NDCG: float64(10*way+part) + .5, Hit: float64(10*way + part + 1)}
			v[way][part] = h
			want[fmt.Sprintf("dangol_nextbest_judged_orders_total{part=%q}", name)] = fmt.Sprint(h.Orders)
			for metric, value := range map[string]float64{"recall": h.Recall, "ndcg": h.NDCG, "hit": h.Hit} {
				want[fmt.Sprintf("dangol_nextbest_%s_orders_total{by=%q}{part=%q}", metric, by, name)] = fmt.Sprint(value)
			}
		}
	}
	require.Equal(t, want, offerSeries(t, v))
}

// Every series is there before the first order is judged.
func TestOffersNotJudgedYet(t *testing.T) {
	series := offerSeries(t, nextbest.Verdict{})
	require.Len(t, series, 3+len(offerCounters)*9)
	for name, value := range series {
		require.Equal(t, "0", value, name)
	}
}
