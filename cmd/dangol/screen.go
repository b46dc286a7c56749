package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// screen shows a demo: a line of figures and the latest changes, every second.
type screen struct {
	out    io.Writer
	engine *engine
	watch  *watcher
	sent   *atomic.Int64
	began  time.Time
	habits *planted // nil: nobody knows them

	last   pipeline.Stats
	lastAt time.Time
	shown  map[string]string
}

func (s *screen) open(o *demoOptions) {
	what := fmt.Sprintf("a shop of %d customers, %.0f events a second", o.shop.Customers, o.rate)
	if o.input != "" {
		what = o.input
	}
	fmt.Fprintf(s.out, "dangol demo: %s\n", what)
	addresses(s.engine, s.out)
	fmt.Fprintln(s.out)
	s.lastAt, s.shown = s.began, map[string]string{}
}

// until shows until ctx ends, the seconds have passed, or the feed has ended.
func (s *screen) until(ctx context.Context, seconds float64, fed <-chan error, feedErr *error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var end <-chan time.Time
	if seconds > 0 {
		end = time.After(time.Duration(seconds * float64(time.Second)))
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-end:
			return
		case *feedErr = <-fed:
			return
		case <-tick.C:
			s.show()
		}
	}
}

// drain waits until what was sent is scored.
func (s *screen) drain(ctx context.Context) {
	deadline := time.Now().Add(15 * time.Second)
	for ctx.Err() == nil && time.Now().Before(deadline) {
		st := s.engine.core.Stats()
		if handled(&st) >= uint64(s.sent.Load()) {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// handled is how many records became events or dead letters.
func handled(st *pipeline.Stats) uint64 {
	n := st.Events
	for _, r := range st.Rejects {
		n += r
	}
	return n
}

func (s *screen) show() {
	st := s.engine.core.Stats()
	now := time.Now()
	rate := float64(st.Events-s.last.Events) / now.Sub(s.lastAt).Seconds()
	lag := max(s.sent.Load()-int64(handled(&st)), 0)
	fmt.Fprintf(s.out, "%3.0fs  shop's date %s  %8.0f events/s  %7d customers  %7d changes (%d by timers)  lag %d\n",
		now.Sub(s.began).Seconds(), dateOf(clockOf(&st)), rate, st.Customers, st.Changes, st.Timers, lag)
	s.last, s.lastAt = st, now
	s.affinities(&st, false)
	_, latest := s.watch.snapshot()
	for _, kind := range []string{"event", "timer", "model"} {
		if w := latest[kind]; w != "" && s.shown[kind] != w {
			fmt.Fprintf(s.out, "        %-5s  %s\n", kind, w)
			s.shown[kind] = w
		}
	}
}

func clockOf(st *pipeline.Stats) (clock int64) {
	for _, p := range st.Partitions {
		clock = max(clock, p.Clock)
	}
	return clock
}

func dateOf(clock int64) string {
	if clock == 0 {
		return "—"
	}
	return time.UnixMilli(clock).UTC().Format(time.DateOnly)
}

// affinities looks at what the engine tells of the shop's habits, and at the
// end reports it.
func (s *screen) affinities(st *pipeline.Stats, end bool) {
	if s.habits == nil {
		return
	}
	told, err := s.habits.told(context.Background())
	if err != nil {
		return // nothing is answered yet
	}
	now := clockOf(st)
	if s.habits.look(told, now); end {
		s.habits.report(s.out, told, now)
	}
}

// summary closes the demo.
func (s *screen) summary() {
	st := s.engine.core.Stats()
	took := time.Since(s.began).Seconds()
	causes, _ := s.watch.snapshot()
	fmt.Fprintf(s.out, "\n%d events in %.0f s (%.0f/s), %d of them duplicates, %d late, %d dead letters\n",
		st.Events, took, float64(st.Events)/took, st.Duplicates, st.Late, handled(&st)-st.Events)
	fmt.Fprintf(s.out, "%d changes: %s\n", st.Changes, counts(causes))
	if p, err := s.engine.core.Population(context.Background(), 0); err == nil {
		fmt.Fprintf(s.out, "%d customers, %d of them buyers\n  segments  %s\n  stages    %s\n  churn     %s\n",
			p.Customers, p.Buyers, counts(p.Segments), counts(p.Stages), counts(p.Bands))
	}
	if l := st.Learned; l.At != 0 {
		fmt.Fprintf(s.out, "models %d, learned from %d buyers up to %s and %d labels\n", l.Version, l.Customers, instant(l.At), l.Labels)
	}
	fmt.Fprintf(s.out, "%d items, %d pairs bought together, state %.1f MB\n", st.Items, st.Pairs, float64(st.StateBytes)/1e6)
	s.affinities(&st, true)
	addresses(s.engine, s.out)
}

// counts lists the largest first.
func counts(m map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), strings.Compare(a, b))
	})
	var parts []string
	for _, k := range keys {
		parts = append(parts, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(parts, ", ")
}
