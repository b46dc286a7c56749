package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// TopicName is the name of one of the engine's topics under an app id.
func TopicName(app string, t pipeline.Topic) string {
	switch t {
	case pipeline.Changes:
		return app + ".changes"
	case pipeline.Scores:
		return app + ".scores"
	case pipeline.DeadLetters:
		return app + ".dead-letters"
	case pipeline.Changelog:
		return app + ".changelog"
	case pipeline.Models:
		return app + ".models"
	case pipeline.Affinities:
		return app + ".affinities"
	case pipeline.Pairs:
		return app + ".pairs"
	case pipeline.Population:
		return app + ".population"
	}
	panic(fmt.Sprintf("kafka: no topic %d", t))
}

// topicConfigs are the settings with which a missing topic is created.
func topicConfigs(t pipeline.Topic) map[string]*string {
	v := func(s string) *string { return &s }
	switch t {
	case pipeline.Pairs: // every process reads it whole; it is trimmed by hand, once snapshots hold what was in it
		return map[string]*string{"cleanup.policy": v("delete"), "retention.ms": v("-1"), "retention.bytes": v("-1")}
	case pipeline.Population: // a snapshot under reading outlives its tombstones
		return map[string]*string{"cleanup.policy": v("compact"), "min.compaction.lag.ms": v("600000")}
	case pipeline.Scores, pipeline.Models, pipeline.Affinities:
		return map[string]*string{"cleanup.policy": v("compact")}
	case pipeline.Changelog:
		// The lag lets a restore replay the tail whole; an erased customer's
		// tombstone outlives a week of downtime.
		return map[string]*string{
			"cleanup.policy": v("compact"), "min.compaction.lag.ms": v("600000"), "delete.retention.ms": v("604800000"),
		}
	}
	return map[string]*string{"cleanup.policy": v("delete")}
}

// inputPartitions is how many partitions the input topic has. That it does not
// exist is an error.
func inputPartitions(ctx context.Context, adm *kadm.Client, c *Config) (int32, error) {
	details, err := adm.ListTopics(ctx, c.Topic)
	if err != nil {
		return 0, fmt.Errorf("kafka at %v: %w", c.Brokers, err)
	}
	in, ok := details[c.Topic]
	if !ok || errors.Is(in.Err, kerr.UnknownTopicOrPartition) {
		return 0, errors.New(noInput(c.Topic))
	}
	if in.Err != nil {
		return 0, fmt.Errorf("input topic %q: %w", c.Topic, in.Err)
	}
	return int32(len(in.Partitions)), nil
}

// EnsureTopics creates what is missing of the engine's topics, with as many
// partitions as the input topic has, and refuses a changelog or a shared
// log that has another number: its state would belong to other customers.
func EnsureTopics(ctx context.Context, adm *kadm.Client, app string, c *Config) error {
	n, err := inputPartitions(ctx, adm, c)
	if err != nil {
		return err
	}
	var names []string
	for _, t := range ours {
		names = append(names, TopicName(app, t))
	}
	between := RepartitionTopic(app)
	there, err := adm.ListTopics(ctx, append(names, between)...)
	if err != nil {
		return fmt.Errorf("topics of %q: %w", app, err)
	}
	if c.Topic != between && there.Has(between) {
		return fmt.Errorf("%w: topic %q exists, so app_id %q reads its input through it: set input.repartition to true again, "+
			"or start with a new app_id and an empty state directory", pipeline.ErrFatal, between, app)
	}
	for _, t := range ours {
		name := TopicName(app, t)
		if there.Has(name) {
			continue // one who may not create topics can still use them
		}
		parts := n
		if t == pipeline.Population {
			parts = 1
		}
		_, err := adm.CreateTopic(ctx, parts, int16(c.Replication), topicConfigs(t), name)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create topic %q: %w", name, err)
		}
	}
	for _, t := range []pipeline.Topic{pipeline.Changelog, pipeline.Pairs} {
		name := TopicName(app, t)
		if got := int32(len(there[name].Partitions)); got != n && got != 0 {
			return fmt.Errorf("%w: %s", pipeline.ErrFatal, repartitioned(name, int(got), c.Topic, int(n)))
		}
	}
	return nil
}

func noInput(topic string) string {
	return fmt.Sprintf("input topic %q does not exist: create it, keyed by customer id (or not, with input.repartition), or correct input.topic", topic)
}

func repartitioned(topic string, got int, input string, n int) string {
	return fmt.Sprintf("topic %q has %d partitions, the input %q has %d: the number of partitions changed, so customers would meet another's state; "+
		"start with a new app_id and an empty state directory, or restore the input's number of partitions", topic, got, input, n)
}
