package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// facts are what the claim of exactly-once depends on, as the brokers say it.
type facts struct {
	brokers int
	old     string // a broker that lacks what is needed, with its version; empty: none
	txn     int    // finalised level of transaction.version
	topics  map[string]*topicFacts
	broker  map[string]string // settings, each the worst of the brokers'
	unread  []string          // what could not be read for want of a right
}

// topicFacts are those of one topic that exists.
type topicFacts struct {
	partitions int
	replicas   int // of the partition that has fewest
	settings   map[string]string
}

// ours are the topics that dangol writes.
var ours = []pipeline.Topic{
	pipeline.Changes, pipeline.Scores, pipeline.DeadLetters, pipeline.Changelog, pipeline.Models, pipeline.Affinities,
	pipeline.Pairs, pipeline.Population,
}

// topics are the input, what the repartition stage makes of it, if there is one, and ours.
func (c *Config) topics(app string) []string {
	names := []string{c.Topic}
	if c.Repartition {
		names = append(names, RepartitionTopic(app))
	}
	for _, t := range ours {
		names = append(names, TopicName(app, t))
	}
	return names
}

// Kafka's own topics that transactions and offsets are kept in.
const (
	txnState = "__transaction_state"
	offsets  = "__consumer_offsets"
)

// gather asks the brokers.
func gather(ctx context.Context, cl *kgo.Client, app string, c *Config) (*facts, error) {
	adm := kadm.NewClient(cl)
	f := &facts{topics: map[string]*topicFacts{}, broker: map[string]string{}}
	m, err := adm.Metadata(ctx, c.topics(app)...)
	if err != nil {
		return nil, fmt.Errorf("kafka at %v: %w", c.Brokers, err)
	}
	f.brokers = len(m.Brokers)
	f.note(m)
	if err := f.versions(ctx, adm); err != nil {
		return nil, fmt.Errorf("kafka at %v: %w", c.Brokers, err)
	}
	for _, name := range slices.Sorted(maps.Keys(f.topics)) {
		t := f.topics[name]
		configs, err := adm.DescribeTopicConfigs(ctx, name)
		if err := f.read(configs, err, "topic "+name, func(key, value string) { t.settings[key] = value }); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{txnState, offsets} {
		if m, err := adm.Metadata(ctx, name); err == nil { // who may not see it goes by the brokers' settings
			f.note(m)
		}
	}
	for _, id := range m.Brokers.NodeIDs() {
		configs, err := adm.DescribeBrokerConfigs(ctx, id)
		if err := f.read(configs, err, "the cluster", f.worst); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// note remembers the topics that are there.
func (f *facts) note(m kadm.Metadata) {
	for name, d := range m.Topics {
		if d.Err != nil || len(d.Partitions) == 0 {
			continue
		}
		t := &topicFacts{partitions: len(d.Partitions), settings: map[string]string{}}
		t.replicas = len(d.Partitions[0].Replicas)
		for _, p := range d.Partitions {
			t.replicas = min(t.replicas, len(p.Replicas))
		}
		f.topics[name] = t
	}
}

// versions learns what the brokers can do.
func (f *facts) versions(ctx context.Context, adm *kadm.Client) error {
	all, err := adm.ApiVersions(ctx)
	if err != nil {
		return err
	}
	for _, v := range all.Sorted() {
		if v.Err != nil {
			return fmt.Errorf("versions of broker %d: %w", v.NodeID, v.Err)
		}
		// Version 3 carries the member's generation (KIP-447).
		if most, ok := v.KeyMaxVersion(int16(kmsg.TxnOffsetCommit)); !ok || most < 3 {
			f.old = fmt.Sprintf("broker %d speaks as Kafka %s does", v.NodeID, v.VersionGuess())
		}
		for _, feature := range v.Raw().FinalizedFeatures {
			if feature.Name == "transaction.version" {
				f.txn = int(feature.MaxVersionLevel)
			}
		}
	}
	return nil
}

// read calls set with settings. Where the right to read them is missing it notes so.
func (f *facts) read(configs kadm.ResourceConfigs, err error, of string, set func(key, value string)) error {
	for _, rc := range configs {
		err = errors.Join(err, rc.Err)
		for _, c := range rc.Configs {
			if c.Value != nil {
				set(c.Key, *c.Value)
			}
		}
	}
	if auth := new(kadm.AuthError); errors.As(err, &auth) || errors.Is(err, kerr.TopicAuthorizationFailed) || errors.Is(err, kerr.ClusterAuthorizationFailed) {
		if len(f.unread) == 0 || f.unread[len(f.unread)-1] != of {
			f.unread = append(f.unread, of)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("settings of %s: %w", of, err)
	}
	return nil
}

// worst keeps the lowest of the brokers' numbers.
func (f *facts) worst(key, value string) {
	if had, ok := f.broker[key]; ok {
		a, errA := strconv.Atoi(had)
		b, errB := strconv.Atoi(value)
		if errA != nil || errB != nil || a <= b {
			return
		}
	}
	f.broker[key] = value
}
