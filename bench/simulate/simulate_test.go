//go:build synctests

package simulate

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seedFlag  = flag.Int64("seed", -1, "run this seed alone, and log what happens")
	seedsFlag = flag.Int("seeds", 40, "how many seeds to run")
	fromFlag  = flag.Int("from", 0, "the first of them")
)

// stuckAfter is when a run that takes a fraction of a second is given up: who asks again
// and again in no time, or waits for a mutex, stops the time of everybody.
const stuckAfter = time.Minute

// simulate runs a seed in a bubble.
func simulate(t *testing.T, seed uint64, plant *planted, out io.Writer) (o *outcome) {
	log := slog.New(slog.DiscardHandler)
	if out != nil {
		log = slog.New(slog.NewTextHandler(out, nil))
	}
	defer time.AfterFunc(stuckAfter, func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("seed %d: somebody holds up the bubble's clock", seed))
	}).Stop()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, seed, log)
		if plant != nil {
			w.planted = plant
			if plant.scenario != nil {
				plant.scenario(&w.scenario)
			}
		}
		log.Info("scenario", "seed", seed, "is", fmt.Sprintf("%+v", w.scenario))
		o = w.run()
	})
	return o
}

// Whatever goes wrong on the way, in the end nothing is lost, doubled, torn or wrong.
func TestSimulate(t *testing.T) {
	if *seedFlag >= 0 {
		o := simulate(t, uint64(*seedFlag), nil, os.Stderr)
		report(t, uint64(*seedFlag), o)
		t.Logf("%v of the bubble's time; %v", o.took, o.fired)
		return
	}
	began := time.Now()
	var mu sync.Mutex
	fired, took, bad := map[string]int{}, time.Duration(0), 0
	t.Run("seeds", func(t *testing.T) {
		for i := range *seedsFlag {
			seed := uint64(*fromFlag + i)
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				o := simulate(t, seed, nil, nil)
				mu.Lock()
				defer mu.Unlock()
				took += o.took
				for k, n := range o.fired {
					fired[k] += n
				}
				if len(o.wrong) > 0 {
					bad++
				}
				report(t, seed, o)
			})
		}
	})
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(fired)) {
		fmt.Fprintf(&b, "  %6d %s\n", fired[k], k)
	}
	fmt.Fprintf(os.Stderr, "seeds %d to %d, %d failed; %v of the bubbles' time in %v; what happened:\n%s", *fromFlag, *fromFlag+*seedsFlag-1, bad, took.Round(time.Second), time.Since(began).Round(time.Second), b.String())
}

// report says what is wrong.
func report(t *testing.T, seed uint64, o *outcome) {
	t.Helper()
	for _, check := range slices.Sorted(maps.Keys(o.wrong)) {
		t.Errorf("seed %d: %s: %s\n(replay: go test -tags synctests ./bench/simulate -run TestSimulate -seed %d)", seed, check, o.wrong[check], seed)
	}
}
