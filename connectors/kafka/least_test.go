package kafka

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// The process dies at every step of what is no transaction, answers of the broker are
// lost: nothing is, and what is told twice is what was under way.
func TestLeastLosesNothing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	w := newLeastTown(t)
	b, steps := newBook(), map[int]int{}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	enough := func() bool { return len(steps) == 8 }
	for !enough() || !w.passed() {
		require.NoError(t, ctx.Err(), "after %v", steps)
		if rng.IntN(3) == 0 {
			b = newBook() // the disk is lost
		}
		s := w.opened("0", b)
		for alive := true; alive && (!enough() || !w.passed()); {
			if !enough() {
				w.feed(rng.IntN(10))
			}
			alive = w.step(ctx, s, b, rng, steps)
		}
		s.Close()
	}
	told := w.check()
	again := 0
	for _, n := range told {
		again += n - 1
	}
	t.Logf("%v, %d told again", steps, again)
	require.NotZero(t, again)
}

// step carries a transaction through, or to where the process dies.
func (w *leastTown) step(ctx context.Context, s *Session, b *book, rng *rand.Rand, steps map[int]int) (alive bool) {
	next := w.collect(s, b)
	if len(next) == 0 {
		return b.end(ctx, s, next) == nil
	}
	step := rng.IntN(12)
	steps[min(step, 7)]++
	switch step {
	case 0: // nothing has left the process
		return false
	case 1: // some outputs have
		s.kept = s.kept[:rng.IntN(len(s.kept))]
		require.NoError(w.t, s.writeKept(ctx, false))
		return false
	case 2: // all have
		require.NoError(w.t, s.writeKept(ctx, false))
		return false
	case 3: // and some of the changelog
		require.NoError(w.t, s.writeKept(ctx, false))
		s.kept = s.kept[:rng.IntN(len(s.kept))]
		require.NoError(w.t, s.writeKept(ctx, true))
		return false
	case 4: // all of the changelog, and no offsets
		require.NoError(w.t, s.writeKept(ctx, false))
		require.NoError(w.t, s.writeKept(ctx, true))
		return false
	case 5: // it is committed, and the process does not live to know it
		_, _, err := s.End(ctx, true, next)
		require.NoError(w.t, err)
		return false
	case 6: // an answer is lost
		w.cut.key.Store([]int32{produceKey, offsetCommitKey}[rng.IntN(2)])
		err := b.end(ctx, s, next)
		w.cut.key.Store(-1)
		return err == nil
	}
	return b.end(ctx, s, next) == nil
}

const offsetCommitKey = 8

// A member that the group has put out, and that does not know yet, writes nothing to
// the changelog and moves no offset.
func TestLeastRefusesWhoWasPutOut(t *testing.T) {
	w := newLeastTown(t)
	w.more = []kgo.Opt{kgo.HeartbeatInterval(5 * time.Second)} // so that it does not know
	w.feed(5)
	b := newBook()
	s := w.opened("0", b)
	var next map[int32]int64
	for len(next) < parts {
		if next = w.collect(s, b); len(next) < parts {
			_, _, err := s.End(t.Context(), false, nil)
			require.NoError(t, err)
		}
	}
	before := len(w.topic("app.changelog"))
	w.expel("0")
	committed, _, err := s.End(t.Context(), true, next)
	require.NoError(t, err)
	require.False(t, committed)
	require.Len(t, w.topic("app.changelog"), before)
	require.Empty(t, w.offsets())
	require.Len(t, w.topic("app.changes"), 3*5, "they are told, and will be again")
}

// An instance that was away writes to the changelog after another has taken the
// partition over: that does not count, for nobody who reads, and who has the
// partition notices.
func TestLeastSeesALateWriter(t *testing.T) {
	w := newLeastTown(t)
	w.feed(5)
	a, b := newBook(), newBook()
	away := w.opened("0", a)
	w.work(away, a)
	away.Close()
	w.feed(5)
	s := w.opened("0", b) // a process without its disk
	w.work(s, b)
	var late []*kgo.Record
	for _, o := range []pipeline.Output{{To: pipeline.Changelog, Key: []byte("0/7"), Value: []byte("old")}, commitRecord(0, 8)} {
		late = append(late, &kgo.Record{
			Topic: "app.changelog", Key: o.Key, Value: o.Value, Headers: []kgo.RecordHeader{{Key: tokenHeader, Value: away.token}},
		})
	}
	require.NoError(t, w.cl.ProduceSync(t.Context(), late...).FirstErr())

	w.feed(1)
	var err error
	for err == nil {
		require.False(t, w.passed(), "it has not noticed")
		err = b.end(t.Context(), s, w.collect(s, b))
	}
	require.ErrorIs(t, err, errElse)
	s.Close()
	for _, b := range []*book{b, newBook()} { // from where it stood, and from the start of the log
		s := w.opened("0", b)
		require.Equal(t, 2, b.pages[0].stale)
		require.Equal(t, int64(11), b.pages[0].next)
		w.work(s, b)
		s.Close()
	}
	w.check()
}

// The mode may change, both ways and again: each takes over what the other has left,
// also in a log that both have written.
func TestDeliveryMayChange(t *testing.T) {
	w := newLeastTown(t)
	b := newBook()
	for i, delivery := range []string{exactlyOnce, atLeastOnce, exactlyOnce, atLeastOnce, atLeastOnce} {
		if i%2 == 0 {
			b = newBook()
		}
		w.cfg.Delivery = delivery
		w.feed(4)
		s := w.opened("0", b)
		w.work(s, b)
		s.Close()
		for key, n := range w.check() {
			require.Equal(t, 1, n, key)
		}
	}
}

// A log without transactions that something else writes to as well is refused.
func TestLeastRefusesForeignRecords(t *testing.T) {
	r := newReplay(0, 1, func([]pipeline.LogRecord) error { return nil })
	require.ErrorContains(t, r.record(&kgo.Record{Key: []byte("c1")}), "something else writes to it")
}
