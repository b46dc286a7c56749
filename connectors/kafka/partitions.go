package kafka

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// assigned is a partition that the group gave us. It is paused from then on, restored
// in the background, and active once the goroutine that polls has seen it restored.
type assigned struct {
	task     *task
	restored bool            // next is set
	active   bool            // polled, and in Assigned
	known    bool            // the group has an offset of it
	ahead    bool            // of the group's offset, which a life before did not come to commit
	next     kgo.EpochOffset // where it goes on: what is committed, or what its restore said
}

// task is work on a partition in the background.
type task struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// work runs fn for a partition once whatever was run for it before has ended, which
// it is told to. The context lasts until the task is cancelled. s.mu is held.
func (s *Session) work(p int32, fn func(ctx context.Context)) *task {
	before := s.tasks[p]
	ctx, cancel := context.WithCancel(s.life)
	t := &task{cancel: cancel, done: make(chan struct{})}
	s.tasks[p] = t
	if before != nil {
		before.cancel()
	}
	s.working.Go(func() {
		defer close(t.done)
		if before != nil {
			<-before.done
		}
		fn(ctx)
	})
	return t
}

// given takes over partitions that the group gave us, and says where the client
// begins with each. It runs before the client can fetch of them, and holds the
// group up: what takes long it leaves to the background. Every partition gets a
// definite offset: a client that knows none would, after an abort, begin at 0.
func (s *Session) given(ctx context.Context, offs map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	parts := offs[s.cfg.Topic]
	if len(parts) == 0 {
		return offs, nil
	}
	kept, err := s.adm.ListStartOffsets(ctx, s.cfg.Topic)
	starts, startsErr := kept, err
	if s.cfg.Start == "latest" && unanswered(err) == nil {
		starts, startsErr = s.adm.ListEndOffsets(ctx, s.cfg.Topic)
	}
	given := make(map[int32]pipeline.Assignment, len(parts))
	for p, at := range parts {
		a := pipeline.Assignment{Partition: p, Committed: max(at.EpochOffset().Offset, -1), Identity: s.id}
		if s.cfg.Deleted == skipDeleted {
			a.Skip = func(first, last int64) {
				s.log.Warn("the input has lost records before they were read; going on without them", "partition", p, "from", first, "to", last)
			}
		}
		var keptErr, startErr error
		a.Kept, keptErr = offsetOf(kept, err, s.cfg.Topic, p)
		a.Start, startErr = offsetOf(starts, startsErr, s.cfg.Topic, p)
		if err := cmp.Or(keptErr, startErr); err != nil {
			return nil, s.failure(ctx, err)
		}
		given[p] = a
	}
	ids := slices.Sorted(maps.Keys(given))
	s.group.PauseFetchPartitions(map[string][]int32{s.cfg.Topic: ids})
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range ids {
		eo := parts[p].EpochOffset()
		a := given[p]
		told := a.Committed
		if told < 0 {
			told, eo.Epoch = a.Start, -1
		}
		// Without the epoch the client begins at once, and can be set to another
		// offset; what the epoch is for, the restore checks.
		parts[p] = kgo.NewOffset().At(told)
		pt := &assigned{known: a.Committed > 0}
		s.parts[p] = pt
		pt.task = s.work(p, func(ctx context.Context) { s.restore(ctx, pt, a, eo) })
	}
	return offs, nil
}

// restore brings the state of a partition up to date.
func (s *Session) restore(ctx context.Context, pt *assigned, a pipeline.Assignment, committed kgo.EpochOffset) {
	began := time.Now()
	start, err := int64(0), s.uncut(ctx, a.Partition, committed)
	if err == nil {
		start, err = s.keeper.Restore(ctx, a, s.changelog)
	}
	if err != nil {
		_ = s.failure(ctx, fmt.Errorf("restore partition %d: %w", a.Partition, err))
		return
	}
	if ctx.Err() != nil {
		return
	}
	s.log.Info("restored", "partition", a.Partition, "next", start, "seconds", math.Round(1e3*time.Since(began).Seconds())/1e3)
	next := kgo.EpochOffset{Epoch: -1, Offset: start}
	if start == committed.Offset {
		next = committed
	}
	s.mu.Lock()
	pt.next, pt.restored, pt.ahead = next, true, start > max(committed.Offset, a.Start, a.Kept)
	s.mu.Unlock()
	s.wake()
}

// uncut makes sure that the log still holds what the committed offset is after: a
// leader elected uncleanly may have lost it, and written others in its place.
func (s *Session) uncut(ctx context.Context, p int32, committed kgo.EpochOffset) error {
	if committed.Epoch < 0 || committed.Offset <= 0 {
		return nil
	}
	ends, err := s.adm.OffsetForLeaderEpoch(ctx, kadm.OffsetForLeaderEpochRequest{s.cfg.Topic: {p: committed.Epoch}})
	if err != nil {
		return fmt.Errorf("end of leader epoch %d: %w", committed.Epoch, err)
	}
	end := ends[s.cfg.Topic][p]
	if end.Err != nil {
		return fmt.Errorf("end of leader epoch %d: %w", committed.Epoch, end.Err)
	}
	if end.EndOffset >= 0 && end.EndOffset < committed.Offset {
		return fmt.Errorf("%s/%d was cut: the group has committed offset %d, but what its leader of then (epoch %d) wrote ends at %d: "+
			"the brokers lost records, and others stand in their place; set the group's offset to %d to go on with those",
			s.cfg.Topic, p, committed.Offset, committed.Epoch, end.EndOffset, end.EndOffset)
	}
	return nil
}

// failure is what the next Poll says, unless ctx ended because the group took
// the partitions back: then they come again.
func (s *Session) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.mu.Lock()
	if s.failed == nil {
		s.failed = err
	}
	s.mu.Unlock()
	s.wake()
	return err
}

// taken forgets partitions that the group took from us, or gave up.
func (s *Session) taken(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range parts[s.cfg.Topic] {
		s.drop(p)
	}
}

// settled runs when what is taken away is gone and before what is new is looked up:
// what the client does not hold now, it lost without our being told. The offsets of what
// is new the brokers do not tell while a transaction with them is open.
func (s *Session) settled(_ context.Context, _ *kgo.Client, given map[string][]int32) {
	held := s.held()
	s.mu.Lock()
	for p := range s.parts {
		if _, ok := held[p]; !ok {
			s.drop(p)
		}
	}
	s.mu.Unlock()
	s.lookAround()
	if len(given) > 0 {
		s.unhide()
	}
}

// unhide ends what dead instances have left open. With a broker away that takes a
// while, and then the group does not wait for it.
func (s *Session) unhide() {
	done := make(chan struct{})
	s.working.Go(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(s.life, rollWithin)
		defer cancel()
		if err := s.fence(ctx); err != nil {
			s.log.Debug("what dead instances left open was not looked for; the group's offsets may have to be waited for", "error", err)
		}
	})
	select {
	case <-done:
	case <-time.After(unhideWithin):
	}
}

// drop forgets a partition. s.mu is held.
func (s *Session) drop(p int32) {
	if pt := s.parts[p]; pt != nil {
		pt.task.cancel()
		delete(s.parts, p)
	}
}

// held are the partitions that the client holds for the group, by its own word. The
// group's callbacks do not suffice: after one revocation the next is not told until
// the transaction has ended.
func (s *Session) held() map[int32]kgo.EpochOffset {
	return s.group.CommittedOffsets()[s.cfg.Topic]
}

// active are the partitions to work on.
func (s *Session) active() []int32 {
	held := s.held()
	s.mu.Lock()
	defer s.mu.Unlock()
	ps := make([]int32, 0, len(s.parts))
	for p, pt := range s.parts {
		if !pt.active {
			continue
		}
		if _, ok := held[p]; !ok {
			s.drop(p)
			continue
		}
		ps = append(ps, p)
	}
	slices.Sort(ps)
	return ps
}

// activate lets the client fetch of what was restored, from where its restore said,
// and reports whether some must wait for the client to hold it.
func (s *Session) activate() (soon bool) {
	held := s.held()
	ready := map[int32]*assigned{}
	elsewhere := map[int32]kgo.EpochOffset{}
	s.mu.Lock()
	for p, pt := range s.parts {
		if pt.active || !pt.restored {
			continue
		}
		switch at, ok := held[p]; {
		case !ok:
			soon = true
			continue
		case at.Offset != pt.next.Offset:
			elsewhere[p] = pt.next
		}
		ready[p] = pt
	}
	s.mu.Unlock()
	if len(ready) == 0 {
		return soon
	}
	if len(elsewhere) > 0 {
		s.group.SetOffsets(map[string]map[int32]kgo.EpochOffset{s.cfg.Topic: elsewhere})
		held = s.held()
	}
	s.waiting.keep(func(p int32) bool { return ready[p] == nil }) // of its life before, if any
	var resume []int32
	s.mu.Lock()
	for p, pt := range ready {
		// What was taken away, or given again, meanwhile may stand elsewhere.
		if s.parts[p] != pt || held[p].Offset != pt.next.Offset {
			soon = true
			continue
		}
		pt.active = true
		s.waiting.epochs[p] = pt.next.Epoch
		resume = append(resume, p)
	}
	s.mu.Unlock()
	if len(resume) > 0 { // of none, the client takes all
		s.group.ResumeFetchPartitions(map[string][]int32{s.cfg.Topic: resume})
	}
	return soon
}

// rewind makes the client begin again where the active partitions stand. After an
// abort it goes by itself to the end of what it last polled before a commit, where
// some of that was not handed out yet and is not committed.
func (s *Session) rewind() {
	s.waiting.clear()
	s.active()
	next := map[int32]kgo.EpochOffset{}
	s.mu.Lock()
	for p, pt := range s.parts {
		if pt.active {
			next[p] = pt.next
			s.waiting.epochs[p] = pt.next.Epoch
		}
	}
	s.mu.Unlock()
	s.group.SetOffsets(map[string]map[int32]kgo.EpochOffset{s.cfg.Topic: next})
}
