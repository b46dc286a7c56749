//go:build synctests

package simulate

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/state"
)

// calmSession is a pipeline.Session of a world without brokers in which nothing goes
// wrong. It takes a process through the input, and through the time after it.
type calmSession struct {
	w     *world
	input map[int32][]pipeline.Record
	next  map[int32]int64
	outs  []pipeline.Output
	said  map[string][]string // changes by customer
	ahead time.Duration
	over  context.CancelFunc
}

func (s *calmSession) Assigned() []int32 { return slices.Sorted(maps.Keys(s.w.partitionSet())) }
func (s *calmSession) Begin() error      { s.outs = nil; return nil }
func (s *calmSession) Close()            {}

func (s *calmSession) Ends(context.Context, map[int32]int64) (map[int32]int64, error) {
	ends := map[int32]int64{}
	for p, in := range s.input {
		ends[p] = int64(len(in))
	}
	return ends, nil
}

func (s *calmSession) Poll(context.Context, int) (bs []pipeline.Batch, err error) {
	for p := range s.w.partitions {
		in, from := s.input[p], s.next[p]
		n := min(int64(len(in))-from, 40)
		if n > 0 {
			bs = append(bs, pipeline.Batch{Partition: p, End: int64(len(in)), EndAt: s.now().UnixMilli(), Records: slices.Clone(in[from : from+n])})
			s.next[p] += n
		}
	}
	if s.ahead += 1100 * time.Millisecond; len(bs) == 0 {
		s.ahead += 40 * time.Hour
		if s.now().UnixMilli() > s.w.until()+int64(8*24*time.Hour/time.Millisecond) {
			s.over()
		}
	}
	return bs, nil
}

func (s *calmSession) Produce(outs []pipeline.Output) {
	for _, o := range outs {
		o.Key, o.Value = bytes.Clone(o.Key), bytes.Clone(o.Value)
		s.outs = append(s.outs, o)
	}
}

func (s *calmSession) End(_ context.Context, commit bool, next map[int32]int64) (bool, map[int32]int64, error) {
	require.True(s.w.t, commit)
	at := map[int32]int64{}
	for _, o := range s.outs {
		if o.To == pipeline.Changes {
			s.said[string(o.Key)] = append(s.said[string(o.Key)], string(o.Value))
		}
	}
	for p := range next {
		at[p] = 1
	}
	return true, at, nil
}

func (s *calmSession) now() time.Time { return bubbleStart.Add(s.ahead) }

// undisturbed is what one process says of each customer, in order, where nothing goes
// wrong.
func (w *world) undisturbed() map[string][]string {
	s := &calmSession{w: w, input: map[int32][]pipeline.Record{}, next: map[int32]int64{}, said: map[string][]string{}}
	for _, r := range w.input.records {
		in := s.input[r.partition]
		s.input[r.partition] = append(in, pipeline.Record{Offset: int64(len(in)), Key: []byte(r.key), Value: r.value})
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.over = cancel
	w.aside(s.now, func(core *pipeline.Core, _ *state.Store) {
		loop := &pipeline.Loop{
			Core: core, Cfg: pipeline.LoopConfig{CommitInterval: time.Hour, MaxRecords: 1000}, Now: s.now, Log: w.log,
			Open: func(ctx context.Context, k pipeline.Keeper) (pipeline.Session, error) {
				for p := range w.partitions {
					if _, err := k.Restore(ctx, pipeline.Assignment{Partition: p, Committed: -1}, nothing{}); err != nil {
						return nil, err
					}
				}
				return s, nil
			},
		}
		require.NoError(w.t, loop.Run(ctx))
	})
	return s.said
}

// nothing is a changelog without records.
type nothing struct{}

func (nothing) Read(context.Context, int32, int64, func([]pipeline.LogRecord, int64) error) (int64, error) {
	return 0, nil
}

func (nothing) Follow(context.Context, int32, int64, func([]pipeline.LogRecord) error) error {
	return nil
}

// aside calls fn with a core of its own.
func (w *world) aside(now func() time.Time, fn func(*pipeline.Core, *state.Store)) {
	cfg := state.DefaultConfig()
	cfg.Dir, cfg.HotBytes, cfg.CacheBytes, cfg.MemTableBytes = "state", 1<<20, 1<<20, 1<<20
	store, err := state.Open(cfg, vfs.NewMem(), state.Observer{})
	require.NoError(w.t, err)
	core := pipeline.NewCore(w.config(), store, encoder{}, func() (pipeline.Decoder, error) { return decoder{}, nil }, now)
	fn(core, store)
	core.Close()
	require.NoError(w.t, store.Close())
}

// replayed are all customers' facts after a replay in the order of the events' time.
func (w *world) replayed() map[string]string {
	facts := map[string]string{}
	sorted := slices.Clone(w.input.events)
	slices.SortStableFunc(sorted, func(a, b event.Event) int { return int(a.Time - b.Time) })
	w.aside(func() time.Time { return bubbleStart.Add(100 * 24 * time.Hour) }, func(core *pipeline.Core, store *state.Store) {
		r := pipeline.Replay{Core: core, Batch: 1000, NoFits: true}
		_, err := r.Run(context.Background(), func(ev *event.Event) error {
			if len(sorted) == 0 {
				return io.EOF
			}
			*ev, sorted = sorted[0], sorted[1:]
			return nil
		}, 0)
		require.NoError(w.t, err)
		require.NoError(w.t, pipeline.EachFacts(store, func(id string, b []byte, _ uint64) error {
			facts[id] = string(b)
			return nil
		}))
	})
	return facts
}
