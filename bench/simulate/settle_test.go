//go:build synctests

package simulate

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// settleWithin is how long a world may take, once nothing goes wrong any more.
const settleWithin = 3 * time.Minute

// settle waits until everything that was to be done is done, and says what was not.
func (w *world) settle() string {
	began := time.Now()
	for {
		why := w.unsettled()
		if why == "" {
			time.Sleep(3 * time.Second) // in which everybody hears of everything
			if why = w.unsettled(); why == "" {
				return ""
			}
		}
		if time.Since(began) > settleWithin {
			return why
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// unsettled is why it is not over yet.
func (w *world) unsettled() string {
	w.mu.Lock()
	fatal := len(w.fatal)
	w.mu.Unlock()
	if fatal > 0 {
		return ""
	}
	var have []int32
	for _, in := range w.all {
		l := in.current()
		if l == nil {
			return "instance " + in.name + " is down"
		}
		have = append(have, l.has()...)
	}
	slices.Sort(have)
	if want := slices.Sorted(maps.Keys(w.partitionSet())); !slices.Equal(have, want) {
		return fmt.Sprintf("instances have partitions %v", have)
	}
	if why := w.behind(0); why != "" {
		return why
	}
	if !w.live {
		return w.unheard()
	}
	w.mu.Lock()
	early := time.Now().Add(w.ahead).UnixMilli() < w.until()+int64(8*24*time.Hour/time.Millisecond)
	if early {
		w.ahead += 3 * 24 * time.Hour
	}
	w.mu.Unlock()
	if early {
		return "the clock goes on, and makes timers due"
	}
	return cmp.Or(w.behind(w.until()), w.unheard())
}

// unheard is which instance has not read all of the shared log.
func (w *world) unheard() string {
	offs, err := w.adm.ListCommittedOffsets(context.Background(), kafka.TopicName(app, pipeline.Pairs))
	if err != nil {
		return err.Error()
	}
	ends := map[int32]int64{}
	offs.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	for _, in := range w.all {
		if l := in.current(); l != nil {
			if why := l.unheard(ends); why != "" {
				return why
			}
		}
	}
	return ""
}

// behind is which partition is not at the end of its input, or its clock not at an
// instant.
func (w *world) behind(until int64) string {
	for _, in := range w.all {
		l := in.current()
		if l == nil {
			return "instance " + in.name + " is down"
		}
		for _, p := range l.has() {
			pos, err := l.position(p)
			if err != nil {
				return err.Error()
			}
			w.mu.Lock()
			end := w.ends[p]
			w.mu.Unlock()
			clock := l.clock(p) // the store's is that of the latest transaction in which there was something to do
			if pos.Next < end || pos.MaxTime != 0 && clock < until {
				return fmt.Sprintf("partition %d stands at offset %d of %d, its clock at %s", p, pos.Next, end, time.UnixMilli(clock).UTC())
			}
		}
	}
	return ""
}

func (w *world) partitionSet() map[int32]bool {
	m := map[int32]bool{}
	for p := range w.partitions {
		m[p] = true
	}
	return m
}
