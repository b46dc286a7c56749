package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Topic is a topic to be created.
type Topic struct {
	Name       string
	Partitions int32             // 0: the broker's default
	Config     map[string]string // Kafka's topic configuration
}

// Retained is the configuration of a topic whose records are deleted when they
// are older than d; 0 keeps them for ever. The broker trims nothing unless the
// topic itself says so, and it goes by the records' own timestamps: a producer
// of old events must leave the timestamp to be the time of producing.
func Retained(d time.Duration) map[string]string {
	if d <= 0 {
		return map[string]string{"cleanup.policy": "delete", "retention.ms": "-1"}
	}
	return map[string]string{"cleanup.policy": "delete", "retention.ms": strconv.FormatInt(d.Milliseconds(), 10)}
}

// Compacted is the configuration of a topic of which the latest record of each
// key stays. Segments are small, because the active one is not compacted.
func Compacted() map[string]string {
	return map[string]string{"cleanup.policy": "compact", "segment.bytes": strconv.Itoa(16 << 20)}
}

// Topics are those of the application app: its input and, with the same number
// of partitions, what it writes. The stream topics keep records for retention
// (0: for ever).
func Topics(app, input string, partitions int32, retention time.Duration) []Topic {
	// A restore replays the changelog's tail whole, so that must stay as it was
	// written for a while; an erased customer's tombstone outlives a week's rest.
	changelog := Compacted()
	changelog["min.compaction.lag.ms"], changelog["delete.retention.ms"] = "600000", "604800000"
	return []Topic{
		{input, partitions, Retained(retention)},
		{app + ".changes", partitions, Retained(retention)},
		{app + ".dead-letters", partitions, Retained(retention)},
		{app + ".scores", partitions, Compacted()},
		{app + ".models", partitions, Compacted()},
		{app + ".changelog", partitions, changelog},
	}
}

// CreateTopics creates those of ts that do not exist yet. A topic that exists
// with another number of partitions is an error: keys would move.
func (b *Broker) CreateTopics(ctx context.Context, ts ...Topic) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.addrs...))
	if err != nil {
		return fmt.Errorf("broker: create topics: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	var errs []error
	for _, t := range ts {
		if err := create(ctx, admin, t); err != nil {
			errs = append(errs, fmt.Errorf("broker: topic %s: %w", t.Name, err))
		}
	}
	return errors.Join(errs...)
}

func create(ctx context.Context, admin *kadm.Client, t Topic) error {
	config := make(map[string]*string, len(t.Config))
	for k, v := range t.Config {
		config[k] = kadm.StringPtr(v)
	}
	n := t.Partitions
	if n == 0 {
		n = -1
	}
	_, err := admin.CreateTopic(ctx, n, 1, config, t.Name)
	if !errors.Is(err, kerr.TopicAlreadyExists) || n < 0 {
		if errors.Is(err, kerr.TopicAlreadyExists) {
			return nil
		}
		return err
	}
	found, err := admin.ListTopics(ctx, t.Name)
	if err != nil {
		return err
	}
	if have := len(found[t.Name].Partitions); have != int(n) {
		return fmt.Errorf("exists with %d partitions, not %d: use that number, or another data directory", have, n)
	}
	return nil
}
