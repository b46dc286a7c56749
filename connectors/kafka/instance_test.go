package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// instance carries records through a session as the pipeline does, and checks that
// none is missed.
type instance struct {
	name string
	s    *Session
	stop context.CancelFunc
	done chan struct{}

	mu       sync.Mutex
	err      error
	has      []int32
	restores map[int32]int
	given    map[int32]context.Context // of the latest restore: until the partition is taken away
	follows  map[int32]int             // at present
	started  map[int32]int             // followers, ever
	busy     map[int32]bool
	commits  int
	aborts   int
	starts   map[int32]int64
	restore  func(ctx context.Context, a pipeline.Assignment) (int64, error)
}

func (w *town) start(name string, standbys int, restore func(ctx context.Context, a pipeline.Assignment) (int64, error)) *instance {
	w.t.Helper()
	cfg := w.cfg
	cfg.Instance, cfg.Standbys, cfg.Advertise = name, standbys, name+".example:8080"
	require.NoError(w.t, cfg.Validate())
	in := &instance{
		name: name, done: make(chan struct{}), restores: map[int32]int{}, given: map[int32]context.Context{}, follows: map[int32]int{}, started: map[int32]int{},
		starts: map[int32]int64{}, busy: map[int32]bool{}, restore: restore,
	}
	s, err := Open(w.t.Context(), "app", &cfg, in, slog.New(slog.DiscardHandler), kgo.HeartbeatInterval(100*time.Millisecond))
	require.NoError(w.t, err)
	in.s = s
	ctx, cancel := context.WithCancel(context.Background())
	in.stop = cancel
	go func() {
		defer close(in.done)
		defer s.Close()
		err := in.run(ctx)
		in.mu.Lock()
		in.err = err
		in.mu.Unlock()
	}()
	w.t.Cleanup(in.close)
	return in
}

func (in *instance) close() {
	in.stop()
	<-in.done
}

// Restore implements pipeline.Keeper.
func (in *instance) Restore(ctx context.Context, a pipeline.Assignment, _ pipeline.ChangelogReader) (int64, error) {
	if err := in.alone(a.Partition); err != nil {
		return 0, err
	}
	defer in.free(a.Partition)
	start := max(a.Committed, a.Start)
	if in.restore != nil {
		var err error
		if start, err = in.restore(ctx, a); err != nil {
			return 0, err
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.restores[a.Partition]++
	in.given[a.Partition] = ctx
	in.starts[a.Partition] = start
	return start, nil
}

// Follow implements pipeline.Keeper.
func (in *instance) Follow(ctx context.Context, a pipeline.Assignment, _ pipeline.ChangelogReader) error {
	if err := in.alone(a.Partition); err != nil {
		return err
	}
	defer in.free(a.Partition)
	in.mu.Lock()
	in.follows[a.Partition]++
	in.started[a.Partition]++
	in.mu.Unlock()
	<-ctx.Done()
	in.mu.Lock()
	in.follows[a.Partition]--
	in.mu.Unlock()
	return nil
}

// alone fails where somebody is at work on the partition already.
func (in *instance) alone(p int32) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.busy[p] || slices.Contains(in.has, p) {
		in.err = fmt.Errorf("two at work on partition %d", p)
		return in.err
	}
	in.busy[p] = true
	return nil
}

func (in *instance) free(p int32) {
	in.mu.Lock()
	in.busy[p] = false
	in.mu.Unlock()
}

func (in *instance) assigned() []int32 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.has)
}

// knows says whether the restores' contexts last for what the instance has, and have
// ended for what it had.
func (in *instance) knows() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	for p, ctx := range in.given {
		if slices.Contains(in.has, p) != (ctx.Err() == nil) {
			return false
		}
	}
	return true
}

func (in *instance) following() (ps []int32) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for p, n := range in.follows {
		if n > 0 {
			ps = append(ps, p)
		}
	}
	slices.Sort(ps)
	return ps
}

func (in *instance) run(ctx context.Context) error {
	at := map[int32]int64{} // committed, of each partition that is ours
	for ctx.Err() == nil {
		if err := in.s.Begin(); err != nil {
			return err
		}
		next := map[int32]int64{}
		for range 3 {
			pctx, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
			bs, err := in.s.Poll(pctx, 20)
			cancel()
			if err != nil {
				return err
			}
			ours := in.s.Assigned()
			in.mu.Lock()
			for _, p := range ours {
				if !slices.Contains(in.has, p) {
					at[p] = in.starts[p]
				}
			}
			in.has = ours
			in.mu.Unlock()
			for _, b := range bs {
				if !slices.Contains(ours, b.Partition) {
					continue
				}
				want, ok := next[b.Partition]
				if !ok {
					want = at[b.Partition]
				}
				for _, r := range b.Records {
					if r.Offset < want {
						continue
					}
					if r.Offset > want || string(r.Value) != fmt.Sprintf("%d/%d", b.Partition, want) {
						return fmt.Errorf("instance %s: partition %d: offset %d with %q after %d", in.name, b.Partition, r.Offset, r.Value, want)
					}
					in.s.Produce([]pipeline.Output{{
						To: pipeline.Changelog, Partition: b.Partition, Key: fmt.Append(nil, r.Offset), Value: slices.Clone(r.Value),
					}})
					want++
				}
				next[b.Partition] = want
			}
		}
		committed, pos, err := in.s.End(ctx, true, next)
		if err != nil {
			return err
		}
		in.mu.Lock()
		if committed {
			in.commits++
			maps.Copy(at, next)
		} else {
			in.aborts++
		}
		in.mu.Unlock()
		if committed && len(pos) > len(next) {
			return fmt.Errorf("positions %v of %v", pos, next)
		}
	}
	return nil
}
