package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

const wide = 8 // partitions of an input that instances share

// town is an input that several instances work on.
type town struct {
	t   *testing.T
	cfg Config
	cl  *kgo.Client
	adm *kadm.Client
	fed [wide]int64
}

func newTown(t *testing.T, protocol string) *town {
	t.Helper()
	w := &town{t: t, cfg: DefaultConfig()}
	w.cfg.Brokers, w.cfg.GroupProtocol = bootstrap(t, wide), protocol
	var err error
	w.cl, err = kgo.NewClient(kgo.SeedBrokers(w.cfg.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(w.cl.Close)
	w.adm = kadm.NewClient(w.cl)
	return w
}

// feed gives each partition so many records.
func (w *town) feed(each int) {
	w.t.Helper()
	var rs []*kgo.Record
	for range each {
		for p := range w.fed {
			rs = append(rs, &kgo.Record{Topic: "events", Partition: int32(p), Value: fmt.Appendf(nil, "%d/%d", p, w.fed[p])})
			w.fed[p]++
		}
	}
	require.NoError(w.t, w.cl.ProduceSync(w.t.Context(), rs...).FirstErr())
}

// remove takes an instance that was closed out of the group, which would do so
// after the session time-out.
func (w *town) remove(instance string) {
	w.t.Helper()
	_, err := w.adm.LeaveGroup(w.t.Context(), kadm.LeaveGroup("app").InstanceIDs("app-"+instance))
	require.NoError(w.t, err)
}

// written are the records that instances made of the input's, by partition, in
// the order in which they were committed.
func (w *town) written() (out [wide][]int64) {
	w.t.Helper()
	ends, err := w.adm.ListCommittedOffsets(w.t.Context(), "app.changelog")
	require.NoError(w.t, err)
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cfg.Brokers...), kgo.ConsumeTopics("app.changelog"),
		kgo.FetchIsolationLevel(kgo.ReadUncommitted()), kgo.KeepControlRecords())
	require.NoError(w.t, err)
	defer cl.Close()
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	replays := map[int32]*replay{}
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	for len(left) > 0 {
		fs := cl.PollFetches(ctx)
		require.NoError(w.t, fs.Err())
		fs.EachRecord(func(r *kgo.Record) {
			p := r.Partition
			if replays[p] == nil {
				replays[p] = newReplay(left[p], func(recs []pipeline.LogRecord) error {
					for _, rec := range recs {
						var of int32
						var n int64
						_, err := fmt.Sscanf(string(rec.Value), "%d/%d", &of, &n)
						require.NoError(w.t, err)
						require.Equal(w.t, p, of)
						out[p] = append(out[p], n)
					}
					return nil
				})
			}
			require.NoError(w.t, replays[p].record(r))
			if r.Offset+1 >= left[p] {
				delete(left, p)
			}
		})
	}
	return out
}

// processed waits until the group has committed all of the input.
func (w *town) processed(of ...*instance) {
	w.t.Helper()
	w.await("all is processed", func() bool {
		n := int64(0)
		offs, err := w.adm.FetchOffsets(w.t.Context(), "app")
		require.NoError(w.t, err)
		for p, fed := range w.fed {
			o, _ := offs.Lookup("events", int32(p))
			n += fed - max(o.At, 0)
		}
		return n == 0
	}, of...)
}

// requireOnce waits until the instances are through, and wants each record once, in
// order.
func (w *town) requireOnce(of ...*instance) {
	w.t.Helper()
	w.processed(of...)
	for p, ns := range w.written() {
		require.Len(w.t, ns, int(w.fed[p]), "partition %d: each record once", p)
		for i, n := range ns {
			require.Equal(w.t, int64(i), n, "partition %d in order", p)
		}
	}
}

// await waits for a condition, and fails with the first instance that fails.
func (w *town) await(what string, cond func() bool, of ...*instance) {
	w.t.Helper()
	deadline := time.Now().Add(40 * time.Second)
	for !cond() {
		for _, in := range of {
			in.mu.Lock()
			err := in.err
			in.mu.Unlock()
			require.NoError(w.t, err, "instance %s", in.name)
		}
		require.True(w.t, time.Now().Before(deadline), what)
		time.Sleep(5 * time.Millisecond)
	}
}

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
	follows  map[int32]int // at present
	started  map[int32]int // followers, ever
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
		name: name, done: make(chan struct{}), restores: map[int32]int{}, follows: map[int32]int{}, started: map[int32]int{},
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

// spreadOver waits until the instances have all partitions between them, evenly.
func (w *town) spreadOver(of ...*instance) {
	w.t.Helper()
	w.await("the partitions are spread", func() bool {
		var all []int32
		for _, in := range of {
			has := in.assigned()
			if len(has) < wide/len(of) || len(has) > (wide+len(of)-1)/len(of) {
				return false
			}
			all = append(all, has...)
		}
		slices.Sort(all)
		return len(all) == wide && len(slices.Compact(all)) == wide
	}, of...)
}

// Instances that come and go under traffic lose nothing, double nothing and keep
// what they have: what stays with them is not restored again.
func TestInstancesComeAndGo(t *testing.T) {
	for _, protocol := range []string{classicProtocol, consumerProtocol} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, protocol)
			ctx, stop := context.WithCancel(t.Context())
			var feeding sync.WaitGroup
			feeding.Go(func() {
				for ctx.Err() == nil {
					w.feed(2)
					time.Sleep(3 * time.Millisecond)
				}
			})
			defer feeding.Wait()
			defer stop()
			a := w.start("a", 0, nil)
			w.spreadOver(a)
			b := w.start("b", 0, nil)
			w.spreadOver(a, b)
			c := w.start("c", 0, nil)
			w.spreadOver(a, b, c)
			a.mu.Lock()
			for _, p := range a.has {
				require.Equal(t, 1, a.restores[p], "partition %d stayed where it was", p)
			}
			a.mu.Unlock()
			if protocol == classicProtocol {
				b.close()
				w.remove("b")
				w.spreadOver(a, c)
			}
			stop()
			feeding.Wait()
			w.requireOnce(a, b, c)
		})
	}
}
