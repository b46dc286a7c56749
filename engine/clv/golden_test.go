package clv

import (
	"bufio"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// cdnow reads the repeat purchase days of the CDNOW sample up to 1997-09-30,
// rows of one day merged.
func cdnow(t testing.TB) map[string]Observation {
	dir := os.Getenv("DANGOL_DATA")
	if dir == "" {
		t.Skip("DANGOL_DATA is unset: " + t.Name() + " needs cdnow/CDNOW_sample.txt")
	}
	f, err := os.Open(filepath.Join(dir, "cdnow", "CDNOW_sample.txt"))
	require.NoError(t, err)
	defer f.Close()
	days := map[string]map[string]float64{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		row := strings.Fields(lines.Text())
		require.Len(t, row, 5)
		customer, day := row[1], row[2]
		if day > "19970930" {
			continue
		}
		if days[customer] == nil {
			days[customer] = map[string]float64{}
		}
		amount, err := strconv.ParseFloat(row[4], 64)
		require.NoError(t, err)
		days[customer][day] += amount
	}
	require.Len(t, days, 2357)
	all := map[string]Observation{}
	for customer, spent := range days {
		first, sum := "99999999", 0.0
		for day, amount := range spent {
			first = min(first, day)
			sum += amount
		}
		o := Observation{Orders: len(spent) - 1}
		if o.Orders > 0 {
			o.Mean = (sum - spent[first]) / float64(o.Orders)
		}
		all[customer] = o
	}
	return all
}

func cdnowObservations(t testing.TB) []Observation {
	var obs []Observation
	for _, o := range cdnow(t) {
		obs = append(obs, o)
	}
	slices.SortFunc(obs, func(a, b Observation) int {
		return cmp.Or(cmp.Compare(a.Orders, b.Orders), cmp.Compare(a.Mean, b.Mean))
	})
	return obs
}

// The published fit and the published customers, means over the repeat
// purchase days.
func TestPublishedFitOfCDNOW(t *testing.T) {
	all := cdnow(t)
	fit, err := FitSpend(cdnowObservations(t), Params{})
	require.NoError(t, err)
	t.Logf("%+v, population %.4f", fit, fit.Params.Mean())
	require.Equal(t, 946, fit.Observations)
	require.Zero(t, fit.Clamped)
	require.InDelta(t, 6.25, fit.P, 0.005)
	require.InDelta(t, 3.74, fit.Q, 0.005)
	require.InDelta(t, 15.44, fit.V, 0.01)
	require.InDelta(t, -4055.92, fit.LogLikelihood, 0.01)
	require.InDelta(t, 35.17, fit.Params.Mean(), 0.01)
	for id, want := range map[string]float64{"0001": 24.65, "0002": 18.91, "0003": 35.17, "0006": 71.46, "1516": 39.89} {
		require.InDelta(t, want, fit.Spend(all[id].Orders, all[id].Mean), 0.01, id)
	}
}

// Five wholesalers among 946 consumers, and five slipped decimal points.
func TestOutliersDoNotSwingTheFit(t *testing.T) {
	obs := cdnowObservations(t)
	plain, err := FitSpend(obs, Params{})
	require.NoError(t, err)
	for _, huge := range []float64{1e6, 1e9, 1e300} {
		with := slices.Clone(obs)
		for i := range 5 {
			with = append(with, Observation{Orders: 1 + i, Mean: huge * float64(i+1)})
		}
		for range 5 {
			with = append(with, Observation{Orders: 1, Mean: 1e-9})
		}
		fit, err := FitSpend(with, Params{})
		require.NoError(t, err)
		require.Equal(t, 10, fit.Clamped)
		t.Logf("%g: %+v, population %.2f", huge, fit.Params, fit.Params.Mean())
		require.InEpsilon(t, plain.Params.Mean(), fit.Params.Mean(), 0.2)
		require.InEpsilon(t, plain.Spend(2, 30), fit.Spend(2, 30), 0.1)
	}
}
