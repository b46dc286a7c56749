package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// passage is one session of the repartition stage: a member of its group with a
// transactional producer. What Session says of errors holds here, too.
type passage struct {
	r  *Repartition
	gs *kgo.GroupTransactSession

	mu     sync.Mutex
	failed error // of an assignment, surfaced by the next poll

	// Of the open transaction.
	next    map[int32]kgo.EpochOffset // to commit
	polled  []*kgo.Record             // their bytes are passed on; to recycle once it has ended
	out     block
	headers []kgo.RecordHeader
	arena   []byte // keys, offsets
	bytes   int
	ev      event.Event

	promise func(*kgo.Record, error) // p.produced, bound once
	outMu   sync.Mutex
	outErr  error

	heard time.Time // when records came last, or the session began
	lagAt time.Time // when the broker was last asked where partitions end
}

func (p *passage) begin() error {
	p.out.reset()
	p.polled, p.headers, p.arena, p.bytes = p.polled[:0], p.headers[:0], p.arena[:0], 0
	clear(p.next)
	if err := p.gs.Begin(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// poll waits for records at most so long, for at most so many.
func (p *passage) poll(ctx context.Context, wait time.Duration, most int) ([]*kgo.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var err error
	fetches := p.gs.PollRecords(ctx, most)
	fetches.EachError(func(t string, part int32, e error) {
		switch {
		case errors.Is(e, context.DeadlineExceeded), errors.Is(e, context.Canceled), p.r.seat().rejoins(e):
			return
		case errors.Is(e, kerr.OffsetOutOfRange):
			e = fmt.Errorf("%w: the input no longer has the record at the committed offset of group %q: records were deleted before they were read, or the topic was made anew; "+
				"set the group's offsets (kafka-consumer-groups --reset-offsets): %w", pipeline.ErrFatal, p.r.group, e)
		}
		err = errors.Join(err, p.r.fatal(fmt.Errorf("fetch %s/%d: %w", t, part, e)))
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	return fetches.Records(), errors.Join(err, p.failed)
}

// pass produces the records to where they belong.
func (p *passage) pass(recs []*kgo.Record) error {
	for _, in := range recs {
		key, err := p.key(in)
		if err != nil {
			return fmt.Errorf("%s/%d, offset %d: %w", in.Topic, in.Partition, in.Offset, err)
		}
		r := p.out.next()
		*r = kgo.Record{Topic: p.r.topic, Key: key, Value: in.Value, Headers: p.origin(in), Timestamp: in.Timestamp}
		p.polled = append(p.polled, in)
		p.next[in.Partition] = kgo.EpochOffset{Epoch: in.LeaderEpoch, Offset: in.Offset + 1}
		p.bytes += len(in.Value)
		p.gs.Produce(context.Background(), r, p.promise)
	}
	return nil
}

// key is the customer's id, or the record's own key where there is no customer.
func (p *passage) key(in *kgo.Record) ([]byte, error) {
	p.r.dec.Release()
	p.ev.Reset()
	err := p.r.dec.Decode(in.Value, &p.ev)
	var rej *event.Reject
	switch {
	case errors.As(err, &rej):
		return in.Key, nil
	case err != nil:
		return nil, err
	case p.ev.Type == event.ItemUpdated || p.ev.CustomerID == "":
		return in.Key, nil
	}
	from := len(p.arena)
	p.arena = append(p.arena, p.ev.CustomerID...)
	return p.arena[from:len(p.arena):len(p.arena)], nil
}

// origin are the record's headers with its place in front.
func (p *passage) origin(in *kgo.Record) []kgo.RecordHeader {
	decimal := func(n int64) []byte {
		from := len(p.arena)
		p.arena = strconv.AppendInt(p.arena, n, 10)
		return p.arena[from:len(p.arena):len(p.arena)]
	}
	from := len(p.headers)
	p.headers = append(p.headers,
		kgo.RecordHeader{Key: pipeline.OriginTopic, Value: p.r.inputName},
		kgo.RecordHeader{Key: pipeline.OriginPartition, Value: decimal(int64(in.Partition))},
		kgo.RecordHeader{Key: pipeline.OriginOffset, Value: decimal(in.Offset)})
	p.headers = append(p.headers, in.Headers...)
	return p.headers[from:len(p.headers):len(p.headers)]
}

// produced takes the broker's answer to one record.
func (p *passage) produced(r *kgo.Record, err error) {
	if err == nil {
		return
	}
	p.outMu.Lock()
	defer p.outMu.Unlock()
	if p.outErr != nil {
		return
	}
	p.outErr = fmt.Errorf("record %s/%s, offset %s, of %d bytes, to %s: %w",
		r.Headers[0].Value, r.Headers[1].Value, r.Headers[2].Value, len(r.Value), r.Topic, err)
	switch {
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.RecordListTooLarge):
		p.outErr = fmt.Errorf("%w: it is too large: raise max.message.bytes of topic %s, and input.fetch_max_bytes, above it: %w", pipeline.ErrFatal, r.Topic, p.outErr)
	case errors.Is(err, kerr.InvalidTimestamp), errors.Is(err, kerr.InvalidRecord):
		p.outErr = fmt.Errorf("%w: the topic's settings forbid what the input's allow: see message.timestamp.* and cleanup.policy of %s: %w", pipeline.ErrFatal, r.Topic, p.outErr)
	}
}

// commit ends the transaction with the offsets of all that was polled in it. One of
// nothing is given up, which sends nothing: after a commit without offsets the client
// holds the group up for half a second, taking the broker for an old one.
func (p *passage) commit(ctx context.Context) error {
	if len(p.next) == 0 {
		return p.abort(ctx)
	}
	done, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
	done = kgo.PreTxnCommitFnContext(done, p.addOffsets)
	if err := p.gs.Client().Flush(done); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	p.outMu.Lock()
	err := p.outErr
	p.outMu.Unlock()
	if err != nil {
		return err
	}
	committed, err := p.gs.End(done, kgo.TryCommit)
	if err != nil {
		return p.r.fatal(fmt.Errorf("end of transaction: %w", err))
	}
	if !committed {
		return errPassageAborted
	}
	passed := uint64(len(p.polled))
	for _, r := range p.polled {
		r.Recycle()
	}
	p.r.lastCommit = time.Now()
	p.r.count(func(s *RepartitionStats) { s.Commits++; s.Records += passed })
	return nil
}

// abort gives the transaction up, which spares the successor the wait for its
// time-out.
func (p *passage) abort(ctx context.Context) error {
	done, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	_, err := p.gs.End(done, kgo.TryAbort)
	return err
}

// addOffsets makes the commit one of what is in next and of nothing else.
func (p *passage) addOffsets(req *kmsg.TxnOffsetCommitRequest) error {
	t := kmsg.NewTxnOffsetCommitRequestTopic()
	t.Topic = p.r.cfg.Topic
	for part, o := range p.next {
		tp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		tp.Partition, tp.Offset, tp.LeaderEpoch = part, o.Offset, o.Epoch
		t.Partitions = append(t.Partitions, tp)
	}
	req.Topics = append(req.Topics[:0], t)
	return nil
}

// held are the partitions that the client holds for the group, and what is committed of
// them: whatever it gives of one is passed on before the next commit.
func (p *passage) held() map[int32]kgo.EpochOffset {
	return p.gs.Client().CommittedOffsets()[p.r.cfg.Topic]
}

// behind is how many records they have before these ends.
func (p *passage) behind(ends kadm.ListedOffsets) int64 {
	lag := int64(0)
	for part, at := range p.held() {
		if end, ok := ends.Lookup(p.r.cfg.Topic, part); ok && end.Err == nil {
			lag += max(0, end.Offset-at.Offset)
		}
	}
	return lag
}

// fatal marks an error that another session would meet again.
func (r *Repartition) fatal(err error) error {
	if errors.Is(err, kerr.FencedInstanceID) {
		return fmt.Errorf("%w: another process runs as instance %q of this app_id; give each its own input.instance: %w", pipeline.ErrFatal, r.cfg.Instance, err)
	}
	return err
}

func (p *passage) close() { p.r.seat().close(p.gs.Client()) }
