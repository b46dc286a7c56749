package metrics

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/rhythm"
	"github.com/dangol-dev/dangol/engine/score"
)

// learned are models of which every number is another.
func learned() *score.Learned {
	l := &score.Learned{
		Version: 7, At: 1_234_500, Customers: 321, Refused: []string{"spend: no", "churn: no"},
		Fitted: score.Fitted{Labels: 654, Rhythm: rhythm.Params{R: 1.5, Alpha: 20.5, A: 0.25, B: 2.25}},
	}
	for i, name := range []string{"dangol", "recency", "frequency", "mbg_nbd"} {
		q := churn.Quality{N: 900 + i, AUC: 0.8 - float64(i)/10, Brier: 0.1 + float64(i)/100, LogLoss: 0.4 + float64(i)/10, ECE: 0.01 + float64(i)/1000}
		for d := range q.Deciles {
			q.Deciles[d] = churn.Bin{N: 90 + i, Mean: (float64(d) + 0.5) / 10, Rate: (float64(d) + 0.25) / 10}
		}
		l.Judged = append(l.Judged, score.Quality{Name: name, Quality: q})
	}
	return l
}

// modelSeries are the values of what a scrape says of the models.
func modelSeries(t *testing.T, l *score.Learned) map[string]string {
	t.Helper()
	values := map[string]string{}
	for name, text := range collect(t, pipeline.Stats{Learned: l}) {
		for _, of := range []string{"dangol_churn_", "dangol_models_", "dangol_rhythm_"} {
			if strings.HasPrefix(name, of) && !strings.HasPrefix(name, "dangol_models_fit_") {
				text = strings.ReplaceAll(text, " ", "")
				values[name] = strings.TrimSuffix(strings.TrimPrefix(text, "gauge:{value:"), "}")
			}
		}
	}
	return values
}

func TestModels(t *testing.T) {
	want := map[string]string{
		"dangol_models_version": "7", "dangol_models_as_of_seconds": "1234.5", "dangol_models_labels": "654",
		"dangol_models_sample": "321", "dangol_models_refused": "2", "dangol_churn_judged_labels": "900",
		`dangol_rhythm_parameter{name="r"}`: "1.5", `dangol_rhythm_parameter{name="alpha_days"}`: "20.5",
		`dangol_rhythm_parameter{name="a"}`: "0.25", `dangol_rhythm_parameter{name="b"}`: "2.25",
	}
	l := learned()
	for _, q := range l.Judged {
		for name, v := range map[string]float64{"auc": q.AUC, "brier": q.Brier, "log_loss": q.LogLoss, "calibration_error": q.ECE} {
			want[fmt.Sprintf("dangol_churn_%s{model=%q}", name, q.Name)] = fmt.Sprint(v)
		}
	}
	for d, b := range l.Judged[0].Deciles {
		want[fmt.Sprintf(`dangol_churn_calibration{decile="%d"}{kind="predicted"}`, d+1)] = fmt.Sprint(b.Mean)
		want[fmt.Sprintf(`dangol_churn_calibration{decile="%d"}{kind="actual"}`, d+1)] = fmt.Sprint(b.Rate)
	}
	require.Equal(t, want, modelSeries(t, l))
}

// Before labels have resolved nothing is said of how good the models are: a 0
// would set off an alarm.
func TestModelsNotJudgedYet(t *testing.T) {
	series := modelSeries(t, score.BuiltIn(90))
	require.Equal(t, "1", series["dangol_models_version"])
	require.Equal(t, "0", series["dangol_models_as_of_seconds"])
	require.Equal(t, "0", series["dangol_churn_judged_labels"])
	require.Len(t, series, len(modelGauges)+4)

	few := learned()
	few.Judged[0].Deciles[3] = churn.Bin{}
	require.NotContains(t, modelSeries(t, few), `dangol_churn_calibration{decile="4"}{kind="actual"}`, "nobody is in it")
	require.Empty(t, modelSeries(t, nil))
}
