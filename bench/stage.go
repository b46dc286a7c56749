package bench

import (
	"bytes"
	"fmt"
	"sort"
	"strings"

	"github.com/google/pprof/profile"
)

// GC is the stage of the garbage collector.
const GC = "gc"

// stages are the parts of an event's cost, by the function nearest to the leaf
// of a sample's stack that belongs to one.
var stages = []struct{ name, prefix string }{
	{GC, "runtime.gcAssist"}, // before all others: it works for the heap, not for its caller
	{"decode", "github.com/dangol-dev/dangol/connectors/decode."},
	{"apply", "github.com/dangol-dev/dangol/engine/ledger."},
	{"score", "github.com/dangol-dev/dangol/engine/score."},
	{"score", "github.com/dangol-dev/dangol/engine/rhythm."},
	{"score", "github.com/dangol-dev/dangol/engine/rfm."},
	{"score", "github.com/dangol-dev/dangol/engine/journey."},
	{"score", "github.com/dangol-dev/dangol/engine/nextbest."},
	{"pairs", "github.com/dangol-dev/dangol/engine/basket."},
	{"encode", "github.com/dangol-dev/dangol/connectors/encode."},
	{"state", "github.com/dangol-dev/dangol/state."},
	{"state", "github.com/cockroachdb/pebble/"},
	{"kafka", "github.com/twmb/franz-go/"},
	{"kafka", "github.com/dangol-dev/dangol/connectors/kafka."},
	{"pipeline", "github.com/dangol-dev/dangol/engine/pipeline."},
	{GC, "runtime.gcBgMarkWorker"},
	{GC, "runtime.bgsweep"},
	{GC, "runtime.bgscavenge"},
	{GC, "runtime.gcStart"},
}

// Stage is a part of the cost.
type Stage struct {
	Name  string
	Share float64 // of the samples
}

// Stages reads a CPU profile and says which share of it each stage has, the
// largest first. What belongs to no stage is "runtime".
func Stages(cpuProfile []byte) ([]Stage, error) {
	p, err := profile.Parse(bytes.NewReader(cpuProfile))
	if err != nil {
		return nil, fmt.Errorf("cpu profile: %w", err)
	}
	sums, total := map[string]int64{}, int64(0)
	for _, s := range p.Sample {
		v := s.Value[len(s.Value)-1]
		sums[stageOf(s)] += v
		total += v
	}
	var out []Stage
	for name, v := range sums {
		out = append(out, Stage{name, float64(v) / float64(max(total, 1))})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Share > out[j].Share })
	return out, nil
}

func stageOf(s *profile.Sample) string {
	for _, loc := range s.Location {
		for _, line := range loc.Line {
			for _, st := range stages {
				if strings.HasPrefix(line.Function.Name, st.prefix) {
					return st.name
				}
			}
		}
	}
	return "runtime"
}
