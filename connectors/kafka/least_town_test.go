package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// book is the state of a plain application: what it has seen of each partition, as
// its changelog says. A life of it ends with its process; what is on disk may stay.
type book struct {
	mu    sync.Mutex
	pages map[int32]*page
}

type page struct {
	seen  map[string]bool // record by record
	next  int64           // as the commit record says
	upTo  int64           // of the changelog
	stale int
}

func newBook() *book { return &book{pages: map[int32]*page{}} }

// Restore implements pipeline.Keeper.
func (b *book) Restore(ctx context.Context, a pipeline.Assignment, log pipeline.ChangelogReader) (int64, error) {
	b.mu.Lock()
	pg := b.pages[a.Partition]
	if pg == nil {
		pg = &page{seen: map[string]bool{}, next: -1}
		b.pages[a.Partition] = pg
	}
	b.mu.Unlock()
	end, err := log.Read(ctx, a.Partition, pg.upTo, func(recs []pipeline.LogRecord, _ int64) error { return pg.take(recs) })
	if err != nil {
		return 0, err
	}
	if pg.upTo = end; pg.next < 0 && a.Committed <= 0 {
		return a.Start, nil
	}
	if pg.next < a.Committed {
		return 0, fmt.Errorf("%w: the group has %d, the changelog %d", pipeline.ErrFatal, a.Committed, pg.next)
	}
	return pg.next, nil
}

func (pg *page) take(recs []pipeline.LogRecord) error {
	for _, r := range recs {
		switch {
		case r.Stale:
			pg.stale++
		case pipeline.IsCommit(r.Key):
			if _, err := fmt.Sscan(string(r.Value), &pg.next); err != nil {
				return err
			}
		default:
			pg.seen[string(r.Key)] = true
		}
	}
	pg.upTo = recs[len(recs)-1].Offset + 1
	return nil
}

// Follow implements pipeline.Keeper.
func (b *book) Follow(ctx context.Context, _ pipeline.Assignment, _ pipeline.ChangelogReader) error {
	<-ctx.Done()
	return nil
}

// leastTown is an input that is worked on without transactions.
type leastTown struct {
	t    *testing.T
	cfg  Config
	cl   *kgo.Client
	fed  [parts]int64
	cut  *cutter
	more []kgo.Opt
}

func newLeastTown(t *testing.T) *leastTown {
	t.Helper()
	cfg, cl := imitation(t)
	cfg.Delivery = atLeastOnce
	require.NoError(t, cfg.Validate())
	w := &leastTown{t: t, cfg: *cfg, cl: cl, cut: newCutter()}
	w.more = []kgo.Opt{kgo.HeartbeatInterval(100 * time.Millisecond), kgo.Dialer(w.cut.dial)}
	return w
}

func (w *leastTown) feed(each int) {
	w.t.Helper()
	for p := range w.fed {
		feed(w.t, w.cl, int32(p), each)
		w.fed[p] += int64(each)
	}
}

func (w *leastTown) open(instance string, b *book) *Session {
	w.t.Helper()
	cfg := w.cfg
	cfg.Instance = instance
	s, err := Open(w.t.Context(), "app", &cfg, b, slog.New(slog.DiscardHandler), w.more...)
	require.NoError(w.t, err)
	w.t.Cleanup(s.Close)
	return s
}

// collect polls, and produces of each record a change and, where its partition has
// not seen it, a value, then the commit records.
func (w *leastTown) collect(s *Session, b *book) map[int32]int64 {
	w.t.Helper()
	require.NoError(w.t, s.Begin())
	next := map[int32]int64{}
	for range 3 {
		ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Millisecond)
		bs, err := s.Poll(ctx, 50)
		cancel()
		require.NoError(w.t, err)
		for _, batch := range bs {
			p := batch.Partition
			for _, r := range batch.Records {
				key := fmt.Sprintf("%d/%d", p, r.Offset)
				next[p] = r.Offset + 1
				if b.pages[p].seen[key] {
					continue // recognised
				}
				s.Produce([]pipeline.Output{
					{To: pipeline.Changes, Partition: -1, Key: []byte(key), Value: []byte("x")},
					{To: pipeline.Changelog, Partition: p, Key: []byte(key), Value: []byte("x")},
				})
			}
		}
	}
	for p, n := range next {
		s.Produce([]pipeline.Output{commitRecord(p, n)})
	}
	return next
}

func commitRecord(p int32, next int64) pipeline.Output {
	return pipeline.Output{To: pipeline.Changelog, Partition: p, Key: []byte{'p', byte(p)}, Value: fmt.Append(nil, next)}
}

// end ends the transaction, and what was committed is in the book.
func (b *book) end(ctx context.Context, s *Session, next map[int32]int64) error {
	committed, at, err := s.End(ctx, true, next)
	if err != nil || !committed {
		return err
	}
	for p, n := range next {
		pg := b.pages[p]
		for o := max(pg.next, 0); o < n; o++ {
			pg.seen[fmt.Sprintf("%d/%d", p, o)] = true
		}
		pg.next, pg.upTo = n, at[p]
	}
	return nil
}

// offsets are the group's.
func (w *leastTown) offsets() map[int32]int64 {
	w.t.Helper()
	offs, err := kadm.NewClient(w.cl).FetchOffsets(w.t.Context(), "app")
	require.NoError(w.t, err)
	at := map[int32]int64{}
	offs.Each(func(o kadm.OffsetResponse) { at[o.Partition] = o.At })
	return at
}

func (w *leastTown) passed() bool {
	at := w.offsets()
	for p, n := range w.fed {
		if at[int32(p)] != n {
			return false
		}
	}
	return true
}

// topic reads one from its start to its end.
func (w *leastTown) topic(name string) (recs []*kgo.Record) {
	w.t.Helper()
	ends, err := kadm.NewClient(w.cl).ListEndOffsets(w.t.Context(), name)
	require.NoError(w.t, err)
	left := int64(0)
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cfg.Brokers...), kgo.ConsumeTopics(name), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(w.t, err)
	defer cl.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	for int64(len(recs)) < left {
		fs := cl.PollFetches(ctx)
		require.NoError(w.t, fs.Err())
		recs = append(recs, fs.Records()...)
	}
	return recs
}

// check wants every record among the changes, and in a state restored from the
// changelog alone.
func (w *leastTown) check() (told map[string]int) {
	w.t.Helper()
	told = map[string]int{}
	for _, r := range w.topic("app.changes") {
		if !r.Attrs.IsControl() {
			told[string(r.Key)]++
		}
	}
	fresh := newBook()
	w.opened("0", fresh).Close()
	for p, n := range w.fed {
		require.Equal(w.t, n, fresh.pages[int32(p)].next)
		require.Len(w.t, fresh.pages[int32(p)].seen, int(n))
		for i := range n {
			require.NotZero(w.t, told[fmt.Sprintf("%d/%d", p, i)], "partition %d, offset %d", p, i)
		}
	}
	require.Len(w.t, told, int(w.fed[0]+w.fed[1]+w.fed[2]))
	return told
}

// expel takes an instance out of the group, as its session time-out would.
func (w *leastTown) expel(instance string) {
	w.t.Helper()
	_, err := kadm.NewClient(w.cl).LeaveGroup(w.t.Context(), kadm.LeaveGroup("app").Reason("test").InstanceIDs("app-"+instance))
	require.NoError(w.t, err)
}

// opened is open, and waits until all partitions are restored.
func (w *leastTown) opened(instance string, b *book) *Session {
	w.t.Helper()
	s := w.open(instance, b)
	deadline := time.Now().Add(20 * time.Second)
	for len(s.Assigned()) < parts {
		require.True(w.t, time.Now().Before(deadline))
		require.NoError(w.t, s.Begin())
		ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Millisecond)
		_, err := s.Poll(ctx, 1)
		cancel()
		require.NoError(w.t, err)
		_, _, err = s.End(w.t.Context(), false, nil)
		require.NoError(w.t, err)
	}
	return s
}

// work carries transactions through until all is processed.
func (w *leastTown) work(s *Session, b *book) {
	w.t.Helper()
	deadline := time.Now().Add(40 * time.Second)
	for !w.passed() {
		require.True(w.t, time.Now().Before(deadline))
		require.NoError(w.t, b.end(w.t.Context(), s, w.collect(s, b)))
	}
}
