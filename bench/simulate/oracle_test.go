//go:build synctests

package simulate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// outcome is what the oracle finds.
type outcome struct {
	wrong map[string]string // check → what is wrong
	fired map[string]int
	took  time.Duration // of the bubble's clock
}

// The checks, by their names.
const (
	gaveUp        = "gave up"      // a process ended with an error that would meet it again
	cameToNoEnd   = "no end"       // not all was done, long after the last fault
	saidVersions  = "versions"     // a customer's changes are numbered 1 to n, in order, once
	saidTheSame   = "said"         // and are those of an undisturbed run
	factsReplayed = "facts"        // are those of a replay
	lettersOnce   = "dead letters" // each bad record once, nothing else
	scoresLatest  = "scores"       // the latest document is of the latest version
	changelogIs   = "changelog"    // its latest records are the stores' state
	offsetsAre    = "offsets"      // of the group are those of the commit records, at the end of the input
	countsAre     = "counts"       // of what goes with what, in every instance, are those of all ledgers
	populationIs  = "population"   // likewise
)

// outcome compares everything with everything, once all processes have ended.
func (w *world) outcome(stuck string) *outcome {
	o := &outcome{wrong: map[string]string{}, took: time.Since(bubbleStart)}
	defer func() {
		for _, in := range w.all {
			if l := in.current(); l != nil {
				l.close()
			}
		}
		o.fired = w.fired
	}()
	if len(w.fatal) > 0 {
		o.wrong[gaveUp] = strings.Join(w.fatal, "; ")
		return o
	}
	if stuck != "" {
		o.wrong[cameToNoEnd] = stuck
		return o
	}
	for _, in := range w.all {
		in.current().core.Close() // and a snapshot under way
	}
	topics := w.read()
	w.checkInput(topics[theInput])
	w.checkSaid(o, topics)
	w.checkLetters(o, topics[pipeline.DeadLetters])
	w.checkChangelog(o, topics[pipeline.Changelog])
	w.checkFacts(o)
	w.checkShared(o)
	return o
}

// fail notes what is wrong, the first of each check.
func (o *outcome) fail(check, format string, args ...any) {
	if o.wrong[check] == "" {
		o.wrong[check] = fmt.Sprintf(format, args...)
	}
}

// theInput stands for the input topic among those of the engine.
const theInput pipeline.Topic = 0

// checkInput makes sure that the world itself is sound.
func (w *world) checkInput(records []*kgo.Record) {
	got, want := map[int32][]string{}, map[int32][]string{}
	for _, r := range records {
		got[r.Partition] = append(got[r.Partition], string(r.Value))
	}
	for _, r := range w.input.records {
		want[r.partition] = append(want[r.partition], string(r.value))
	}
	require.Equal(w.t, want, got, "seed %d: the input", w.seed)
}

// read reads the topics as a read_committed consumer does, up to a record that it
// writes at the end of each partition.
func (w *world) read() map[pipeline.Topic][]*kgo.Record {
	kinds := map[string]pipeline.Topic{}
	from := map[string]map[int32]kgo.Offset{}
	var ends []*kgo.Record
	from[topic], kinds[topic] = map[int32]kgo.Offset{}, theInput
	for p := range w.partitions {
		from[topic][p] = kgo.NewOffset().At(0)
		ends = append(ends, &kgo.Record{Topic: topic, Partition: p, Key: []byte("end")})
	}
	for _, t := range []pipeline.Topic{pipeline.Changes, pipeline.Scores, pipeline.DeadLetters, pipeline.Changelog} {
		name := kafka.TopicName(app, t)
		kinds[name], from[name] = t, map[int32]kgo.Offset{}
		for p := range w.partitions {
			from[name][p] = kgo.NewOffset().At(0)
			ends = append(ends, &kgo.Record{Topic: name, Partition: p, Key: []byte("end")})
		}
	}
	require.NoError(w.t, w.plain.ProduceSync(context.Background(), ends...).FirstErr())
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.Dialer(newLine(w, nil).dial),
		kgo.ConsumePartitions(from), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	require.NoError(w.t, err)
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	topics := map[pipeline.Topic][]*kgo.Record{}
	for left := len(ends); left > 0; {
		fetches := cl.PollFetches(ctx)
		require.NoError(w.t, fetches.Err(), "seed %d: the topics", w.seed)
		fetches.EachRecord(func(r *kgo.Record) {
			if string(r.Key) == "end" {
				left--
				return
			}
			topics[kinds[r.Topic]] = append(topics[kinds[r.Topic]], r)
		})
	}
	return topics
}

// checkSaid looks at the changes and the documents.
func (w *world) checkSaid(o *outcome, topics map[pipeline.Topic][]*kgo.Record) {
	got := map[string][]string{}
	for _, r := range topics[pipeline.Changes] {
		got[string(r.Key)] = append(got[string(r.Key)], string(r.Value))
	}
	scores := map[string]string{}
	for _, r := range topics[pipeline.Scores] {
		scores[string(r.Key)] = string(r.Value)
	}
	want := w.undisturbed()
	if g, wt := len(got), len(want); g != wt {
		o.fail(saidTheSame, "changes are of %d customers, not %d", g, wt)
	}
	for _, id := range slices.Sorted(maps.Keys(got)) {
		all := got[id]
		for i, v := range all {
			if number, _, _ := strings.Cut(v, " "); number != strconv.Itoa(i+1) {
				o.fail(saidVersions, "customer %s: change %d is %q, after %q", id, i+1, v, all[max(0, i-1)])
			}
		}
		if a, b := w.upToEnd(all), w.upToEnd(want[id]); !slices.Equal(a, b) {
			o.fail(saidTheSame, "customer %s: %s", id, difference(a, b))
		}
		version := strconv.Itoa(len(all))
		if strings.HasSuffix(all[len(all)-1], "erased") {
			version = ""
		}
		if scores[id] != version {
			o.fail(scoresLatest, "customer %s: the latest document is of version %q, not %q", id, scores[id], version)
		}
	}
}

// difference is where two lists part.
func difference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("change %d is %q, undisturbed %q", i+1, got[i], want[i])
		}
	}
	if len(got) > len(want) {
		return fmt.Sprintf("%d changes, undisturbed %d; the next is %q", len(got), len(want), got[len(want)])
	}
	return fmt.Sprintf("%d changes, undisturbed %d; the next would be %q", len(got), len(want), want[len(got)])
}

// upToEnd are the changes up to the end of the live clock, which every partition's has
// passed, each by another time.
func (w *world) upToEnd(changes []string) []string {
	until := w.until()
	if until == 0 {
		return changes
	}
	var some []string
	for _, v := range changes {
		fields := strings.Fields(v)
		at, err := strconv.ParseInt(fields[len(fields)-2], 10, 64)
		require.NoError(w.t, err, v)
		if at <= until {
			some = append(some, v)
		}
	}
	return some
}

// checkLetters looks at the dead letters.
func (w *world) checkLetters(o *outcome, letters []*kgo.Record) {
	want, next := map[string]int{}, map[int32]int{}
	for _, r := range w.input.records {
		if len(r.value) == 0 {
			want[fmt.Sprintf("%d/%d", r.partition, next[r.partition])] = 1
		}
		next[r.partition]++
	}
	got := map[string]int{}
	for _, r := range letters {
		h := map[string]string{}
		for _, x := range r.Headers {
			h[x.Key] = string(x.Value)
		}
		got[h["partition"]+"/"+h["offset"]]++
	}
	if !maps.Equal(got, want) {
		o.fail(lettersOnce, "by partition and offset %v, the bad records are %v", got, want)
	}
}
