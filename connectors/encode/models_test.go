package encode

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/clv"
	"github.com/dangol-dev/dangol/engine/rhythm"
	"github.com/dangol-dev/dangol/engine/score"
)

// fill gives every field of a struct a value of its own, so that one which the
// wire form forgets is missed.
func fill(t *rapid.T, v reflect.Value, name string, columns int) {
	if m, ok := v.Addr().Interface().(**score.OfferModel); ok { // never nil, in neither part
		*m = score.BuiltInOffers()
		fillFresh(t, reflect.ValueOf((*m).New), score.NumNew)
		fillFresh(t, reflect.ValueOf((*m).Again), score.NumAgain)
		(*m).Lists = rapid.Int().Draw(t, name)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), v.Type().Field(i).Name, columns)
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, name) {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), name, columns)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), name, columns)
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, name)
		if v.Type().Elem().Kind() == reflect.Float64 { // a column each
			n = columns
		}
		for range n {
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			fill(t, v.Index(v.Len()-1), name, columns)
		}
	case reflect.Float64:
		v.SetFloat(rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, name))
	case reflect.Int:
		v.SetInt(rapid.Int64().Draw(t, name))
	case reflect.Int64: // an instant
		v.SetInt(rapid.Int64Range(0, lastTime).Draw(t, name))
	case reflect.String:
		v.SetString(rapid.String().Draw(t, name))
	default:
		t.Fatalf("%s: a %s has no wire form", name, v.Kind())
	}
}

// fillFresh fills what p points to, of which nothing stays.
func fillFresh(t *rapid.T, p reflect.Value, columns int) {
	p.Elem().SetZero()
	fill(t, p.Elem(), "offers", columns)
}

// What is read is what was written, to the last bit.
func TestModelsSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want score.Learned
		fill(t, reflect.ValueOf(&want).Elem(), "learned", len(score.FeatureNames()))
		b := JSON{}.AppendModels([]byte("x"), &want)
		got, err := JSON{}.ParseModels(b[1:])
		require.NoError(t, err)
		require.Equal(t, &want, got)
		require.Equal(t, b, JSON{}.AppendModels([]byte("x"), got))
	})
}

func TestBuiltInModelsSurvive(t *testing.T) {
	want := score.BuiltIn(90)
	got, err := JSON{}.ParseModels(JSON{}.AppendModels(nil, want))
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// learned is a small model of which everything is known.
func learned() *score.Learned {
	m := score.BuiltIn(90)
	m.Version, m.At, m.Customers = 3, at("2026-11-21T09:30:00Z"), 1647
	m.LogLikelihood, m.Average = -10_412.25, .41
	m.Means = score.Means{Silence: .125}
	m.Spend, m.MeanSpend = clv.Params{P: 6.25, Q: 3.75, V: 15.5}, 35.25
	m.Churn = &churn.Model{Bias: -.02, Lambda: 20, Rows: 8120}
	for i := range score.FeatureNames() {
		c := m.Churn
		c.Weights, c.Lo, c.Hi = append(c.Weights, float64(i+1)/8), append(c.Lo, 0), append(c.Hi, float64(i+1))
		c.Mean = append(c.Mean, float64(i+1)/4)
	}
	m.Offers.Lists, m.Offers.New.Rows, m.Offers.New.Lambda = 1200, 41_000, 8
	m.Offers.Again.Bend = churn.Bend{X: []float64{-2, 0}, Y: []float64{-1.5, .25}}
	m.Churn.Bend = churn.Bend{X: []float64{-1, .5}, Y: []float64{-.75, 1.25}}
	m.Means.Features = slices.Clone(m.Churn.Mean)
	m.Labels = 8120
	m.Recency, m.Frequency = churn.Curve{Bias: -3, Weight: .8}, churn.Curve{Bias: 1, Weight: -.9}
	m.Refused = []string{"spend: too few customers with two orders"}
	q := score.Quality{Name: "dangol", Quality: churn.Quality{N: 20, Base: .5, MeanP: .45, AUC: .75, Brier: .2, LogLoss: .6, InTheLarge: -.05, ECE: .05}}
	for i := range q.Deciles {
		q.Deciles[i] = churn.Bin{N: 2, Mean: .5, Rate: .5, Low: .125, High: .875}
		q.Lift[i], q.Caught[i] = 1, float64(i+1)/10
	}
	m.Judged = []score.Quality{q}
	m.Past = []score.Past{{At: at("2026-10-21T00:00:00Z"), Fitted: score.BuiltIn(90).Fitted}}
	return m
}

func TestForeignModelsAreRefused(t *testing.T) {
	good := string(JSON{}.AppendModels(nil, learned()))
	_, err := JSON{}.ParseModels([]byte(good))
	require.NoError(t, err)
	for _, c := range []struct{ old, now, want string }{
		{`"format":1`, `"format":2`, "models: format 2 is unknown to this program, which reads 1"},
		{`"format":1,`, ``, "models: format 0 is unknown"},
		{`"name":"single_purchase"`, `"name":"silence"`, `models: churn: column 0 is "silence", this program knows "single_purchase" there`},
		{`{"name":"single_purchase","weight":0.125,"low":0,"high":1,"mean":0.25},`, ``, "models: churn: 16 columns, this program knows 17"},
		{`{"name":"mix","weight":1,"low":-20,"high":20,"mean":0},`, ``, "models: offers: new: 3 columns, this program knows 4"},
		{`{"voice":"same_order","share":0.1},`, ``, "models: offers: mix: 4 voices, this program knows 5"},
		{`{"voice":"same_order"`, `{"voice":"chance"`, `models: offers: mix: voice 1 is "chance", this program knows "same_order" there`},
		{`"name":"due"`, `"name":"age"`, `models: offers: again: column 2 is "age", this program knows "due" there`},
		{`"lists":1200`, `"lists":true`, "models: json:"},
		{`"features":[0.25,`, `"features":[`, "models: means: 16 columns, this program knows 17"},
		{`"weights":[0.885,`, `"weights":[`, "models: rhythm: 8 weights, this program knows 9"},
		{`"customers":1647`, `"customers":"many"`, "models: json:"},
		{`"at":"2026-11-21T09:30:00Z"`, `"at":"yesterday"`, "models: parsing time"},
	} {
		require.Contains(t, good, c.old)
		_, err := JSON{}.ParseModels([]byte(strings.Replace(good, c.old, c.now, 1)))
		require.ErrorContains(t, err, c.want)
	}
	for _, b := range []string{"", "null", "[]", good + "x", good[:len(good)-1]} {
		_, err := JSON{}.ParseModels([]byte(b))
		require.Error(t, err, "%.20s", b)
	}
}

// The wire form names no regularities: its weights are of these.
func TestWeightsAreOfTheGrid(t *testing.T) {
	require.Equal(t, []int{1, 2, 3, 4, 6, 8, 12, 16, 24}, rhythm.Grid[:], "another grid is another modelsFormat")
}

// Fields that a later program adds do not stop this one.
func TestModelsMayGainFields(t *testing.T) {
	b := strings.Replace(string(JSON{}.AppendModels(nil, learned())), `{`, `{"later":1,`, 1)
	got, err := JSON{}.ParseModels([]byte(b))
	require.NoError(t, err)
	require.Equal(t, learned(), got)
}

// A document from before offers were learned has none: the built-in ones stand.
func TestModelsWithoutOffers(t *testing.T) {
	var doc map[string]any
	require.NoError(t, json.Unmarshal(JSON{}.AppendModels(nil, score.BuiltIn(90)), &doc))
	require.Contains(t, doc, "offers")
	delete(doc, "offers")
	b, err := json.Marshal(doc)
	require.NoError(t, err)
	got, err := JSON{}.ParseModels(b)
	require.NoError(t, err)
	require.Equal(t, score.BuiltIn(90), got)
}

// A fit gone wrong is told, not hidden, and breaks nothing.
func TestModelsThatAreNotFinite(t *testing.T) {
	m := score.BuiltIn(90)
	m.LogLikelihood, m.Average = math.Inf(-1), math.NaN()
	b := JSON{}.AppendModels(nil, m)
	require.True(t, json.Valid(b))
	require.Contains(t, string(b), `"log_likelihood":null,"average_probability":null`)
	got, err := JSON{}.ParseModels(b)
	require.NoError(t, err)
	require.True(t, math.IsNaN(got.LogLikelihood))
	require.Equal(t, rhythm.DefaultParams(), got.Rhythm)
}
