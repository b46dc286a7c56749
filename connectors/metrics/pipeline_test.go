package metrics

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// collect returns each series of the collector as text: "name{label="v"}" → value.
// The pedantic registry fails where Collect and Describe disagree.
func collect(t *testing.T, st pipeline.Stats) map[string]string {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(newPipelineCollector(func() pipeline.Stats { return st })))
	families, err := reg.Gather()
	require.NoError(t, err)
	series := make(map[string]string)
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += fmt.Sprintf("{%s=%q}", l.GetName(), l.GetValue())
			}
			m.Label = nil
			series[name] = fmt.Sprint(m)
		}
	}
	return series
}

// changed lists the series in which two scrapes differ.
func changed(a, b map[string]string) []string {
	var names []string
	for n := range b {
		if a[n] != b[n] {
			names = append(names, n)
		}
	}
	return names
}

// bump makes one field differ from its zero value.
func bump(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Uint64:
		v.SetUint(5)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(5)
	case reflect.Float64:
		v.SetFloat(5)
	case reflect.Array:
		v.Index(3).SetUint(5)
	case reflect.Map:
		v.Set(reflect.ValueOf(map[event.Reason]uint64{event.Late: 5}))
	default:
		t.Fatalf("a field of kind %s: say here how it is changed", v.Kind())
	}
}

// A figure that the pipeline counts and nobody sees is a defect: each field of
// Stats moves one series, and no two fields the same (the latency histogram's
// two aside).
func TestEveryFieldOfStatsIsExported(t *testing.T) {
	zero := collect(t, pipeline.Stats{})
	seen := map[string]string{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[pipeline.Stats]()) {
		indices := [][]int{field.Index}
		switch {
		case slices.Contains([]string{"Partitions", "Restoring", "Standby", "Learned", "Verdict"}, field.Name): // have tests of their own
			continue
		case field.Type.Kind() == reflect.Struct:
			indices = nil
			for _, inner := range reflect.VisibleFields(field.Type) {
				indices = append(indices, append(slices.Clone(field.Index), inner.Index...))
			}
		}
		for _, index := range indices {
			var st pipeline.Stats
			bump(t, reflect.ValueOf(&st).Elem().FieldByIndex(index))
			diff := changed(zero, collect(t, st))
			require.Len(t, diff, 1, "%s %v", field.Name, index)
			if diff[0] != "dangol_pipeline_latency_seconds" {
				require.NotContains(t, seen, diff[0], "also moved by %s", field.Name)
			}
			seen[diff[0]] = field.Name
		}
	}
	require.Equal(t, len(scalars)+len(sharedScalars)+2, len(seen), "a metric that no field moves")
}

func TestEveryFieldOfPartitionStatsIsExported(t *testing.T) {
	with := func(p pipeline.PartitionStats) map[string]string {
		p.Partition = 7
		return collect(t, pipeline.Stats{Partitions: []pipeline.PartitionStats{{Partition: 2}, p}})
	}
	zero := with(pipeline.PartitionStats{})
	seen := map[string]bool{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[pipeline.PartitionStats]()) {
		if field.Name == "Partition" {
			continue
		}
		var p pipeline.PartitionStats
		bump(t, reflect.ValueOf(&p).Elem().FieldByIndex(field.Index))
		diff := changed(zero, with(p))
		require.Len(t, diff, 1, field.Name)
		require.True(t, strings.HasSuffix(diff[0], `{partition="7"}`), diff[0])
		seen[diff[0]] = true
	}
	require.Len(t, seen, len(partitionGauges))
}

func TestRestoresAndCopiesAreExported(t *testing.T) {
	none := collect(t, pipeline.Stats{})
	series := collect(t, pipeline.Stats{
		Restoring: []pipeline.RestoreStats{{Partition: 7, Records: 11, Done: .25, SecondsLeft: 3}},
		Standby:   []pipeline.StandbyStats{{Partition: 8, NextOffset: 42, Clock: 5000}},
	})
	want := map[string]string{
		`dangol_pipeline_restore_records{partition="7"}`: "11", `dangol_pipeline_restore_done_ratio{partition="7"}`: "0.25",
		`dangol_pipeline_restore_left_seconds{partition="7"}`: "3", `dangol_pipeline_standby_next_offset{partition="8"}`: "42",
		`dangol_pipeline_standby_clock_timestamp_seconds{partition="8"}`: "5",
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(want)), changed(none, series))
	for name, value := range want {
		require.Equal(t, "gauge:{value:"+value+"}", strings.ReplaceAll(series[name], " ", ""), name)
	}
}

func TestRejectReasonsArePresentFromTheStart(t *testing.T) {
	series := collect(t, pipeline.Stats{})
	n := 0
	for name, value := range series {
		if strings.HasPrefix(name, "dangol_pipeline_rejects_total") {
			n++
			require.Equal(t, "counter:{value:0}", strings.ReplaceAll(value, " ", ""), name)
		}
	}
	require.Equal(t, len(event.Reasons()), n)

	series = collect(t, pipeline.Stats{Rejects: map[event.Reason]uint64{"from_the_future": 2}})
	require.Contains(t, series, `dangol_pipeline_rejects_total{reason="from_the_future"}`)
}

func TestLatencyCountsFromBelow(t *testing.T) {
	st := pipeline.Stats{LatencySum: 400.5}
	for i := range st.Latency {
		st.Latency[i] = uint64(i + 1)
	}
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(newPipelineCollector(func() pipeline.Stats { return st })))
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() != "dangol_pipeline_latency_seconds" {
			continue
		}
		h := f.Metric[0].Histogram
		require.Len(t, h.Bucket, len(pipeline.LatencyBuckets))
		for i, b := range h.Bucket {
			require.Equal(t, pipeline.LatencyBuckets[i], b.GetUpperBound())
			require.EqualValues(t, (i+1)*(i+2)/2, b.GetCumulativeCount())
		}
		n := len(st.Latency)
		require.EqualValues(t, n*(n+1)/2, h.GetSampleCount(), "what is beyond the last bound counts too")
		require.Equal(t, 400.5, h.GetSampleSum())
		return
	}
	t.Fatal("no histogram")
}

func TestTimestampsAreSeconds(t *testing.T) {
	series := collect(t, pipeline.Stats{Partitions: []pipeline.PartitionStats{{Watermark: 1500, Clock: 2500}}})
	require.Contains(t, series[`dangol_pipeline_watermark_timestamp_seconds{partition="0"}`], "1.5")
	require.Contains(t, series[`dangol_pipeline_clock_timestamp_seconds{partition="0"}`], "2.5")
}

func TestLint(t *testing.T) {
	reg := prometheus.NewRegistry()
	require.NoError(t, reg.Register(newPipelineCollector(func() pipeline.Stats {
		return pipeline.Stats{Partitions: make([]pipeline.PartitionStats, 1), Learned: learned()}
	})))
	families, err := reg.Gather()
	require.NoError(t, err)
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
}
