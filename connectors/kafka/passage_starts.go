package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// startsAsked is how often is asked whether it was said where the group begins.
const startsAsked = 100 * time.Millisecond

// starts says where partitions without a committed offset begin, and commits it before
// anything of them is passed on. So a topic that has records and a group that has no
// offsets means that the offsets are gone.
//
// Of a group that has no offset at all, whoever has partition 0 commits where each
// partition of the input begins, by the configuration, and the others wait for that: of
// all who start at once, one says it, and once. From then on a partition without an
// offset has come to the input since, and begins with its first record.
func (p *passage) starts(ctx context.Context, fresh map[int32]int64) error {
	_, first := fresh[0]
	said, err := p.r.said(ctx, first)
	if err != nil {
		return err
	}
	say, err := p.r.unsaid(ctx, said, fresh)
	if err != nil {
		return err
	}
	for part := range fresh {
		at, ok := said[part]
		if !ok {
			at, ok = say[part]
		}
		if !ok {
			return fmt.Errorf("offsets of %s: no partition %d", p.r.cfg.Topic, part)
		}
		fresh[part] = at
	}
	if len(say) == 0 {
		return nil
	}
	// Whatever becomes of this, another must not be sent while it may still arrive: an
	// error ends the session, and the next one is another member.
	ctx = context.WithoutCancel(ctx)
	if err := p.say(ctx, say); err != nil {
		return p.failure(ctx, fmt.Errorf("commit of where %s begins: %w", p.r.cfg.Topic, err))
	}
	return nil
}

// said are the offsets of the group. While it has none they are waited for, unless it is
// for the caller to say the first.
func (r *Repartition) said(ctx context.Context, first bool) (map[int32]int64, error) {
	for {
		said, err := r.offsets(ctx)
		if err != nil || len(said) > 0 || first {
			return said, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(startsAsked):
		}
	}
}

// unsaid is where partitions begin of which the group has no offset: of all that the
// input has if it has none at all, else of the fresh ones.
func (r *Repartition) unsaid(ctx context.Context, said, fresh map[int32]int64) (map[int32]int64, error) {
	list := r.adm.ListStartOffsets
	if len(said) == 0 && r.cfg.Start == "latest" {
		list = r.adm.ListEndOffsets
	}
	listed, err := list(ctx, r.cfg.Topic)
	if err != nil {
		return nil, fmt.Errorf("offsets of %s: %w", r.cfg.Topic, err)
	}
	say := map[int32]int64{}
	for part, at := range listed[r.cfg.Topic] {
		_, isSaid := said[part]
		_, isFresh := fresh[part]
		if isSaid || len(said) > 0 && !isFresh {
			continue
		}
		if at.Err != nil {
			return nil, fmt.Errorf("offsets of %s/%d: %w", r.cfg.Topic, part, at.Err)
		}
		say[part] = at.Offset
	}
	return say, nil
}

// offsets are what the group has committed of the input. None at all is refused where
// records were passed on: to begin again would pass them on twice, or leave some out.
func (r *Repartition) offsets(ctx context.Context) (map[int32]int64, error) {
	written, err := r.written(ctx, r.topic) // asked first, for that comes last
	if err != nil {
		return nil, err
	}
	at, err := committedOffsets(ctx, r.adm, r.group, r.cfg.Topic)
	if err != nil {
		return nil, err
	}
	if written && len(at) == 0 {
		return nil, fmt.Errorf("%w: topic %s has records, but group %q has no committed offset in %s: the offsets expired, or the input was made anew or is another; "+
			"set the group's offsets (kafka-consumer-groups --reset-offsets) to where the stage is to go on, or start over with a new app_id",
			pipeline.ErrFatal, r.topic, r.group, r.cfg.Topic)
	}
	return at, nil
}

// say commits offsets of the input as the member that this is: the group refuses them
// when it has gone on without it. It is sent once, for a second one could be undone by
// the first, when that arrives late.
func (p *passage) say(ctx context.Context, offsets map[int32]int64) error {
	ctx, cancel := context.WithTimeout(ctx, rollWithin)
	defer cancel()
	r := p.r
	_, in, err := describe(ctx, r.cl, r.cfg.Topic)
	if err != nil {
		return err
	}
	coordinator := r.adm.FindGroupCoordinators(ctx, r.group)[r.group]
	if coordinator.Err != nil {
		return coordinator.Err
	}
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group = r.group
	req.MemberID, req.Generation = p.gs.Client().GroupMetadata()
	instance := r.seat().instance()
	req.InstanceID = &instance
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic, t.TopicID = r.cfg.Topic, in.TopicID
	for part, offset := range offsets {
		tp := kmsg.NewOffsetCommitRequestTopicPartition()
		tp.Partition, tp.Offset = part, offset
		t.Partitions = append(t.Partitions, tp)
	}
	req.Topics = append(req.Topics, t)
	resp, err := r.cl.Broker(int(coordinator.NodeID)).Request(ctx, req)
	if err != nil {
		return err
	}
	for _, t := range resp.(*kmsg.OffsetCommitResponse).Topics {
		for _, tp := range t.Partitions {
			err = errors.Join(err, kerr.ErrorForCode(tp.ErrorCode))
		}
	}
	return err
}
