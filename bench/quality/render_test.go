package quality

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite testdata, and write the example as HTML to $REPORT_HTML")

func textOf(t require.TestingT, r *Report) string {
	var b bytes.Buffer
	require.NoError(t, r.WriteText(&b))
	return b.String()
}

func htmlOf(t require.TestingT, r *Report) string {
	var b bytes.Buffer
	require.NoError(t, r.WriteHTML(&b))
	return b.String()
}

func jsonOf(t require.TestingT, r *Report) []byte {
	var b bytes.Buffer
	require.NoError(t, r.WriteJSON(&b))
	return b.Bytes()
}

func TestTextOfTheExample(t *testing.T) {
	golden := filepath.Join("testdata", "report.txt")
	got := textOf(t, example())
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
		if to := os.Getenv("REPORT_HTML"); to != "" {
			require.NoError(t, os.WriteFile(to, []byte(htmlOf(t, example())), 0o644))
		}
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestJSONRoundTrip(t *testing.T) {
	want := example()
	for i := range want.Churn { // the example does not know these
		j := &want.Churn[i]
		if j.RankOnly {
			j.Brier, j.LogLoss, j.ECE = 1, 2, 3
		}
	}
	want.Findings = Findings(want)
	var got Report
	d := json.NewDecoder(bytes.NewReader(jsonOf(t, want)))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&got))
	require.Equal(t, *want, got)
}

// But for what it cannot write, the JSON is that of encoding/json.
func TestJSONIsThatOfTheStandardLibrary(t *testing.T) {
	r := example()
	r.Churn = r.Churn[:1]
	r.Findings = []string{"a <b> & “c”"}
	want, err := json.MarshalIndent(r, "", "  ")
	require.NoError(t, err)
	require.Equal(t, string(want)+"\n", string(jsonOf(t, r)))
}

func TestUnknownNumbersAreNull(t *testing.T) {
	r := &Report{Churn: []Judged{{Name: "dangol", AUC: math.NaN(), LogLoss: math.Inf(1)}}}
	got := string(jsonOf(t, r))
	require.Contains(t, got, `"auc": null`)
	require.Contains(t, got, `"log_loss": null`)
	require.Contains(t, got, `"brier": 0`)
	require.Contains(t, got, `"segments": []`)
	require.Contains(t, got, `"next_best": null`)
}

// sound holds of every report: it says no NaN, its plots are XML with a
// description, and it loads and runs nothing.
func sound(t require.TestingT, r *Report) {
	page, doc := htmlOf(t, r), jsonOf(t, r)
	for _, out := range []string{page, textOf(t, r), string(doc)} {
		require.False(t, strings.Contains(out, "NaN") || strings.Contains(out, "Inf"))
	}
	require.True(t, json.Valid(doc))
	require.True(t, strings.HasPrefix(page, "<!DOCTYPE html>"))
	for _, s := range []string{"<script", "src=", "url(", "@import", "<link"} {
		require.False(t, strings.Contains(page, s), s)
	}
	require.Equal(t, 1, strings.Count(page, "href="))
	for _, s := range strings.Split(page, "<svg ")[1:] {
		s, _, ok := strings.Cut(s, "</svg>")
		require.True(t, ok)
		require.True(t, strings.Contains(s, `role="img" aria-label="`) || strings.Contains(s, `aria-hidden="true"`))
		d := xml.NewDecoder(strings.NewReader("<svg " + s + "</svg>"))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
		}
	}
}

func TestTheExampleIsSound(t *testing.T) {
	sound(t, example())
	// Tenths, 2 of reliability, gains, lift, stays, 2 of amounts, 2 of groups, 3 of offers.
	require.Equal(t, 13, strings.Count(htmlOf(t, example()), `role="img"`))
}

func TestAnEmptyReportIsSound(t *testing.T) {
	sound(t, &Report{})
	sound(t, &Report{Churn: []Judged{{}}, Orders: Forecasts{Models: []Forecast{{}}}, NextBest: &NextBest{Models: []Recommender{{}}}})
	require.Contains(t, textOf(t, &Report{}), "Nobody could be judged")
}

func TestAnEmptyTenthIsLeftOut(t *testing.T) {
	r := example()
	nan := math.NaN()
	r.Churn[0].Deciles[4] = Bin{0, nan, nan, nan, nan}
	sound(t, r)
	require.Equal(t, 9, strings.Count(string(reliability(&r.Churn[0], "c0", 0, 1, false)), "<circle"))
	require.Regexp(t, `\n  5 +0 +– +– +–\n`, textOf(t, r))
}

func TestNamesAreEscaped(t *testing.T) {
	const evil = `<script>alert("x")</script>&`
	r := example()
	r.Title, r.Data.Input, r.Data.Format, r.Data.AsOf, r.Data.Currency, r.Data.Version = evil, evil, evil, evil, evil, evil
	r.Segments[0].Name, r.Stages[0].Name, r.NextBest.Models[0].Name = evil, evil, evil
	r.Models.Churn.Terms[0] = Term{Name: evil, Text: evil}
	for i := range r.Churn {
		r.Churn[i].Name = evil
	}
	r.Orders.Models[0].Name, r.Value.Models[0].Name = evil, evil
	sound(t, r)
	require.Contains(t, htmlOf(t, r), "&lt;script&gt;alert")
}

func TestHugeAndUnknownNumbersAreSound(t *testing.T) {
	number := rapid.OneOf(rapid.Float64(), rapid.Float64Range(0, 1),
		rapid.SampledFrom([]float64{0, 1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 5e-324}))
	rapid.Check(t, func(rt *rapid.T) {
		f := func() float64 { return number.Draw(rt, "f") }
		r := example()
		r.Data.BaseRate = f()
		j := &r.Churn[rapid.IntRange(0, 1).Draw(rt, "model")]
		j.Base, j.AUC, j.Brier, j.LogLoss, j.ECE = f(), f(), f(), f(), f()
		i := rapid.IntRange(0, 9).Draw(rt, "tenth")
		j.Deciles[i] = Bin{rapid.IntRange(0, 2).Draw(rt, "n"), f(), f(), f(), f()}
		j.Lift[i], j.Captured[i] = f(), f()
		r.Orders.Models[0] = Forecast{"dangol", f(), f(), f(), f()}
		r.Orders.ByDecile[i], r.Value.ByDecile[0] = Pair{f(), f()}, Pair{f(), f()}
		r.Segments[0] = Group{"new", 40, f(), f()}
		r.Churn[2].Lead = &Lead{f(), f(), f()}
		r.NextBest.Models[0].All = Hits{f(), f(), f(), f(), f(), f()}
		r.Models.Rhythm.R, r.Models.Spend.V, r.Models.Churn.Terms[0].Weight = f(), f(), f()
		sound(rt, r)
	})
}
