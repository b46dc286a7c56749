package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
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
				replays[p] = newReplay(0, left[p], func(recs []pipeline.LogRecord) error {
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

// spreadOver waits until the instances have all partitions between them, evenly.
func (w *town) spreadOver(of ...*instance) {
	w.t.Helper()
	w.await("the partitions are spread", func() bool {
		var all []int32
		for _, in := range of {
			has := in.assigned()
			if len(has) < wide/len(of) || len(has) > (wide+len(of)-1)/len(of) || !in.knows() {
				return false
			}
			all = append(all, has...)
		}
		slices.Sort(all)
		return len(all) == wide && len(slices.Compact(all)) == wide
	}, of...)
}

// session opens one that the test works itself.
func (w *town) session(name string, k pipeline.Keeper) *Session {
	w.t.Helper()
	cfg := w.cfg
	cfg.Instance = name
	s, err := Open(w.t.Context(), "app", &cfg, k, slog.New(slog.DiscardHandler), kgo.HeartbeatInterval(100*time.Millisecond))
	require.NoError(w.t, err)
	w.t.Cleanup(s.Close)
	return s
}

// pollAll adds what comes to got, by partition, until done.
func (w *town) pollAll(s *Session, got map[int32][]int64, done func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !done() {
		require.True(w.t, time.Now().Before(deadline), "got %v, has %v", got, s.Assigned())
		ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Millisecond)
		bs, err := s.Poll(ctx, 7)
		cancel()
		require.NoError(w.t, err)
		for _, b := range bs {
			for _, r := range b.Records {
				got[b.Partition] = append(got[b.Partition], r.Offset)
			}
		}
	}
}

func count(got map[int32][]int64) (n int) {
	for _, os := range got {
		n += len(os)
	}
	return n
}
