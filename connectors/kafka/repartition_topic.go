package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Prepare creates the repartition topic and those of the pipeline behind it
// where they are missing. Both that pipeline and the stage wait for it.
func (r *Repartition) Prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	n, err := inputPartitions(ctx, r.adm, r.cfg)
	if err != nil {
		return err
	}
	if r.cfg.Partitions > 0 {
		n = int32(r.cfg.Partitions)
	}
	// Asked first: whoever writes the state has made the topic before.
	state, err := r.written(ctx, TopicName(r.app, pipeline.Changelog))
	if err != nil {
		return err
	}
	there, err := r.partitions(ctx, r.topic)
	switch {
	case err != nil:
		return err
	case there == 0 && state:
		return fmt.Errorf("%w: topic %s is missing, but app_id %q has state: input.repartition was set for an app_id that has read its input directly, or the topic was deleted; "+
			"start over with a new app_id and an empty state directory", pipeline.ErrFatal, r.topic, r.app)
	case there == 0:
		err = r.create(ctx, n)
	case r.cfg.Partitions > 0 && there != n:
		err = fmt.Errorf("%w: topic %s has %d partitions, input.partitions says %d: customers would meet another's state; "+
			"set it back, or start over with a new app_id and an empty state directory", pipeline.ErrFatal, r.topic, there, n)
	}
	if err != nil {
		return err
	}
	behind := r.cfg.Repartitioned(r.app)
	return EnsureTopics(ctx, r.adm, r.app, &behind)
}

// written tells whether a topic exists and ever had a record.
func (r *Repartition) written(ctx context.Context, topic string) (bool, error) {
	there, err := r.partitions(ctx, topic)
	if err != nil || there == 0 {
		return false, err
	}
	ends, err := r.adm.ListEndOffsets(ctx, topic)
	if err != nil {
		return false, fmt.Errorf("end of %s: %w", topic, err)
	}
	for _, e := range ends[topic] {
		if e.Offset > 0 {
			return true, nil
		}
		if e.Err != nil {
			return false, fmt.Errorf("end of %s/%d: %w", topic, e.Partition, e.Err)
		}
	}
	return false, nil
}

// partitions is how many a topic has; 0: there is none.
func (r *Repartition) partitions(ctx context.Context, topic string) (int32, error) {
	_, d, err := describe(ctx, r.cl, topic)
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return int32(len(d.Partitions)), nil
}

const (
	roomForHeaders = 64 << 10 // the key and the headers that a record gets
	largestBatch   = 64 << 20 // brokers take requests of 100 MiB
	forEver        = "-1"
	whenever       = "9223372036854775807"
)

// mostBytes is what the pipeline's client will unpack of one batch.
func (r *Repartition) mostBytes() int64 {
	return min(int64(max(r.cfg.FetchMaxBytes, 16<<20)), largestBatch)
}

// create makes the topic. What the input's settings let in, this one's must not
// refuse; and nothing is deleted but what the pipeline has read (see purge).
func (r *Repartition) create(ctx context.Context, n int32) error {
	in := r.settings(ctx, r.cfg.Topic)
	size := int64(1 << 20)
	if s, err := strconv.ParseInt(in["max.message.bytes"], 10, 64); err == nil {
		size = s
	}
	set := map[string]string{
		"cleanup.policy": "delete", "retention.ms": forEver, "retention.bytes": forEver, "message.timestamp.type": "CreateTime",
		"max.message.bytes": strconv.FormatInt(max(size+roomForHeaders, r.mostBytes()), 10),
	}
	for _, name := range []string{"message.timestamp.before.max.ms", "message.timestamp.after.max.ms", "message.timestamp.difference.max.ms"} {
		if _, known := in[name]; known { // which of them depends on the broker's version
			set[name] = whenever
		}
	}
	_, err := r.adm.CreateTopic(ctx, n, int16(r.cfg.Replication), values(set), r.topic)
	if errors.Is(err, kerr.InvalidConfig) || errors.Is(err, kerr.PolicyViolation) {
		set["max.message.bytes"] = strconv.FormatInt(size, 10) // some forbid more
		_, err = r.adm.CreateTopic(ctx, n, int16(r.cfg.Replication), values(set), r.topic)
	}
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("create topic %s: %w", r.topic, err)
	}
	_, _, err = await(ctx, r.cl, r.topic)
	return err
}

func values(set map[string]string) map[string]*string {
	out := make(map[string]*string, len(set))
	for k, v := range set {
		out[k] = &v
	}
	return out
}

// settings are a topic's; empty where they may not be read.
func (r *Repartition) settings(ctx context.Context, topic string) map[string]string {
	out := map[string]string{}
	configs, err := r.adm.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		r.log.Debug("a topic's settings cannot be read", "topic", topic, "error", err)
		return out
	}
	if c, err := configs.On(topic, nil); err == nil && c.Err == nil {
		for _, kv := range c.Configs {
			out[kv.Key] = kv.MaybeValue()
		}
	}
	return out
}

// batchBytes is the largest batch, before compression, that the topic takes and
// the pipeline's client unpacks. A topic that would lose records is refused.
func (r *Repartition) batchBytes(ctx context.Context) (int32, error) {
	set := r.settings(ctx, r.topic)
	if p := set["cleanup.policy"]; p != "" && p != "delete" {
		return 0, fmt.Errorf("%w: topic %s has cleanup.policy=%s, which would lose all but the latest record of a customer: set it to delete", pipeline.ErrFatal, r.topic, p)
	}
	for _, name := range []string{"retention.ms", "retention.bytes"} {
		if v := set[name]; v != "" && v != forEver {
			r.log.Warn("the broker may delete records of the repartition topic before they are read", "topic", r.topic, name, v, "set it to", forEver)
		}
	}
	size, err := strconv.ParseInt(set["max.message.bytes"], 10, 64)
	if err != nil {
		size = 1_000_000 // what every broker takes by default
	}
	return int32(min(size, r.mostBytes())), nil
}

const purgeEvery = time.Minute

// purgeNowAndThen lives until ctx ends.
func (r *Repartition) purgeNowAndThen(ctx context.Context) {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := r.purge(ctx); err != nil && ctx.Err() == nil {
				r.log.Debug("records that were read are not deleted yet", "topic", r.topic, "error", err)
			}
		}
	}
}

// purge deletes what the pipeline has committed. Every process does so for all
// partitions: it costs little, and needs nobody in charge.
func (r *Repartition) purge(ctx context.Context) error {
	committed, err := r.adm.FetchOffsets(ctx, r.app)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil // it has not committed yet
	}
	if err != nil {
		return err
	}
	read := kadm.Offsets{}
	for _, o := range committed[r.topic] {
		if o.Err == nil && o.At > 0 {
			read.Add(o.Offset)
		}
	}
	deleted, err := r.adm.DeleteRecords(ctx, read)
	if err != nil {
		return err
	}
	for _, part := range slices.Sorted(maps.Keys(deleted[r.topic])) {
		err = errors.Join(err, deleted[r.topic][part].Err)
	}
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		r.denied.Do(func() {
			r.log.Warn("records may not be deleted, so the repartition topic grows: allow DELETE on it", "topic", r.topic)
		})
	}
	return err
}
