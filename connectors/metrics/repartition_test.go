package metrics

import (
	"reflect"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// Each field of the stage's counters moves one series of its own.
func TestEveryFieldOfRepartitionIsExported(t *testing.T) {
	with := func(st Repartition) map[string]string {
		reg := prometheus.NewPedanticRegistry()
		require.NoError(t, reg.Register(NewRepartition(func() Repartition { return st })))
		families, err := reg.Gather()
		require.NoError(t, err)
		series := map[string]string{}
		for _, f := range families {
			series[f.GetName()] = f.Metric[0].String()
		}
		return series
	}
	zero, seen := with(Repartition{}), map[string]bool{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Repartition]()) {
		var st Repartition
		bump(t, reflect.ValueOf(&st).Elem().FieldByIndex(field.Index))
		diff := changed(zero, with(st))
		require.Len(t, diff, 1, field.Name)
		seen[diff[0]] = true
	}
	require.Len(t, seen, len(passedFigures))
}
