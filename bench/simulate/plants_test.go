//go:build synctests

package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// early is a session that says of each transaction that it is committed, so that the
// state is written, and commits it then.
type early struct {
	pipeline.Session
	life *life
	late func() (bool, map[int32]int64, error) // the commit that is due
}

func (s *early) Begin() error {
	if s.late != nil {
		if err := s.life.store.Flush(); err != nil {
			return err
		}
		committed, _, err := s.late()
		if s.late = nil; err != nil {
			return err
		}
		if !committed {
			return errors.New("simulate: not committed, and written")
		}
	}
	return s.Session.Begin()
}

func (s *early) End(ctx context.Context, commit bool, next map[int32]int64) (bool, map[int32]int64, error) {
	end := func() (bool, map[int32]int64, error) { return s.Session.End(ctx, commit, next) }
	if !commit || len(next) == 0 {
		return end()
	}
	s.late = end
	at := map[int32]int64{}
	for p := range next {
		pos, err := s.life.position(p)
		if err != nil {
			return false, nil, err
		}
		at[p] = pos.Changelog
	}
	return true, at, nil
}

// apart is a session that commits the offsets beside the transaction, before it.
type apart struct {
	pipeline.Session
	group *kgo.Client
}

func (s *apart) End(ctx context.Context, commit bool, next map[int32]int64) (bool, map[int32]int64, error) {
	offs := map[int32]kgo.EpochOffset{}
	for p, n := range next {
		offs[p] = kgo.EpochOffset{Epoch: -1, Offset: n}
	}
	if len(offs) > 0 {
		s.group.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{topic: offs}, nil)
	}
	return s.Session.End(ctx, commit, next)
}

// stubborn is a session that goes on after an error of End, as if nothing were
// committed.
type stubborn struct{ pipeline.Session }

func (s *stubborn) End(ctx context.Context, commit bool, next map[int32]int64) (bool, map[int32]int64, error) {
	committed, at, err := s.Session.End(ctx, commit, next)
	if err != nil && ctx.Err() == nil {
		return false, nil, nil
	}
	return committed, at, err
}

// aside is a session that produces what is for some topic outside the transaction.
type aside struct {
	pipeline.Session
	w  *world
	to pipeline.Topic
}

func (s *aside) Produce(outs []pipeline.Output) {
	var in []pipeline.Output
	for _, o := range outs {
		if o.To != s.to {
			in = append(in, o)
			continue
		}
		r := &kgo.Record{Topic: kafka.TopicName(app, o.To), Partition: o.Partition, Key: bytes.Clone(o.Key), Value: bytes.Clone(o.Value)}
		for _, h := range o.Headers {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: bytes.Clone(h.Value)})
		}
		s.w.plain.ProduceSync(context.Background(), r)
	}
	s.Session.Produce(in)
}

// forward is a session in which records do not come again after an abort.
type forward struct {
	pipeline.Session
	next map[int32]int64
}

func (s *forward) Poll(ctx context.Context, most int) ([]pipeline.Batch, error) {
	batches, err := s.Session.Poll(ctx, most)
	for i := range batches {
		b := &batches[i]
		b.Records = slices.DeleteFunc(slices.Clone(b.Records), func(r pipeline.Record) bool { return r.Offset < s.next[b.Partition] })
		if n := len(b.Records); n > 0 {
			s.next[b.Partition] = b.Records[n-1].Offset + 1
		}
	}
	return batches, err
}

// credulous is a keeper that takes the group's word on where a partition goes on, and
// with it a session that has every record count, wherever it stands.
type credulous struct {
	pipeline.Keeper
	starts *starts
}

type starts struct {
	life *life
	at   map[int32]int64 // where the state stands
}

func (k *credulous) Restore(ctx context.Context, a pipeline.Assignment, log pipeline.ChangelogReader) (int64, error) {
	start, err := k.Keeper.Restore(ctx, a, log)
	k.starts.life.mu.Lock()
	defer k.starts.life.mu.Unlock()
	k.starts.at[a.Partition] = start
	return max(a.Committed, a.Start), err
}

type recounting struct {
	pipeline.Session
	starts *starts
}

func (s *recounting) Poll(ctx context.Context, most int) ([]pipeline.Batch, error) {
	batches, err := s.Session.Poll(ctx, most)
	s.starts.life.mu.Lock()
	defer s.starts.life.mu.Unlock()
	for i := range batches {
		b := &batches[i]
		b.Records = slices.Clone(b.Records)
		for j := range b.Records {
			b.Records[j].Offset = max(b.Records[j].Offset, s.starts.at[b.Partition])
		}
	}
	return batches, err
}

// forgetful is a shared log whose snapshots say that they have read less than they have.
type forgetful struct{ pipeline.SharedLog }

func (s *forgetful) Save(ctx context.Context, at map[int32]int64, write func(func([]byte) error) error) error {
	less := maps.Clone(at)
	for p := range less {
		less[p] = max(0, less[p]-3)
	}
	return s.SharedLog.Save(ctx, less, write)
}

// gullible is a decoder under which no two events are the same.
type gullible struct {
	pipeline.Decoder
	n *atomic.Int64
}

func (d gullible) Decode(data []byte, ev *event.Event) error {
	err := d.Decoder.Decode(data, ev)
	n := d.n.Add(1)
	ev.ID = fmt.Sprintf("%s-%d", ev.ID, n)
	if ev.OrderID != "" && ev.Type == event.OrderCompleted {
		ev.OrderID = fmt.Sprintf("%s-%d", ev.OrderID, n)
	}
	return err
}
