package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Transaction is one that concerns an application: of one of its transactional ids,
// open or not, or open in a partition that it writes or reads.
type Transaction struct {
	ID       string // empty where the coordinator knows none
	Own      bool   // of this application
	State    string // as Kafka names it, or Hanging
	Producer int64
	Epoch    int16
	Since    time.Time // when it was opened; of a hanging one, when it last wrote; zero where none is open
	Parts    []OpenPart
}

// OpenPart is a partition in which a transaction is open.
type OpenPart struct {
	Topic     string
	Partition int32
	Start     int64 // its first offset; below it a consumer of committed records stops; -1 where it is not known
}

func (p OpenPart) String() string {
	if p.Start < 0 {
		return fmt.Sprintf("%s/%d", p.Topic, p.Partition)
	}
	return fmt.Sprintf("%s/%d@%d", p.Topic, p.Partition, p.Start)
}

// Hanging is the state of a transaction that is open in a partition although its
// coordinator does not know of it there: nothing will end it by itself.
const Hanging = "Hanging"

// Txns lists and aborts transactions of one application.
type Txns struct {
	app string
	cfg *Config
	cl  *kgo.Client
	adm *kadm.Client
}

// OpenTxns connects.
func OpenTxns(app string, c *Config) (*Txns, error) {
	opts, err := c.Options()
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return &Txns{app: app, cfg: c, cl: cl, adm: kadm.NewClient(cl)}, nil
}

// Close ends the connection.
func (t *Txns) Close() { t.cl.Close() }

// own says whether a transactional id is one of this application's. One of an
// application whose name begins with this one's and a dash looks like it.
func (t *Txns) own(id string) bool { return strings.HasPrefix(id, t.app+"-") }

// topics are those of the application and its input, repartitioned or not, as far as
// they are there.
func (t *Txns) topics(ctx context.Context) (kadm.TopicsSet, error) {
	there, err := t.adm.ListTopics(ctx, t.cfg.topics(t.app)...)
	if err != nil {
		return nil, fmt.Errorf("kafka at %v: %w", t.cfg.Brokers, err)
	}
	maps.DeleteFunc(there, func(_ string, d kadm.TopicDetail) bool { return d.Err != nil })
	return there.TopicsSet(), nil
}

// open are the transactions open in some partitions, as their leaders say.
func (t *Txns) open(ctx context.Context, in kadm.TopicsSet) ([]kadm.DescribedProducer, error) {
	if len(in) == 0 {
		return nil, nil
	}
	all, err := t.adm.DescribeProducers(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("producers of the topics: %w", err)
	}
	for _, p := range all.SortedPartitions() {
		if p.Err != nil {
			return nil, fmt.Errorf("producers of %s/%d: %w", p.Topic, p.Partition, p.Err)
		}
	}
	return slices.DeleteFunc(all.SortedProducers(), func(p kadm.DescribedProducer) bool { return p.CurrentTxnStartOffset < 0 }), nil
}

// List returns this application's transactional ids, and what else is open in its
// topics and in its input.
func (t *Txns) List(ctx context.Context) ([]Transaction, error) {
	topics, err := t.topics(ctx)
	if err != nil {
		return nil, err
	}
	// The partitions first: what opens meanwhile is known to its coordinator.
	open, err := t.open(ctx, topics)
	if err != nil {
		return nil, err
	}
	known, err := t.known(ctx, open)
	if err != nil {
		return nil, err
	}
	if open, err = t.still(ctx, topics, open, known); err != nil {
		return nil, err
	}
	by := map[string]*Transaction{}
	for id, d := range known {
		tx := &Transaction{ID: id, Own: t.own(id), State: d.State, Producer: d.ProducerID, Epoch: d.ProducerEpoch}
		if d.StartTimestamp > 0 && pending(d) {
			tx.Since = time.UnixMilli(d.StartTimestamp)
		}
		by[id] = tx
		d.Topics.Each(func(topic string, p int32) {
			tx.Parts = append(tx.Parts, OpenPart{Topic: topic, Partition: p, Start: start(open, d.ProducerID, topic, p)})
		})
	}
	var all []Transaction
	for _, p := range open {
		if _, ok := owner(known, p); !ok {
			all = append(all, hanging(p))
		}
	}
	for _, tx := range by {
		if tx.Own || len(tx.Parts) > 0 {
			all = append(all, *tx)
		}
	}
	for _, tx := range all {
		slices.SortFunc(tx.Parts, func(a, b OpenPart) int {
			return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
		})
	}
	slices.SortFunc(all, func(a, b Transaction) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), cmp.Compare(a.Producer, b.Producer), slices.CompareFunc(a.Parts, b.Parts, func(a, b OpenPart) int {
			return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
		}))
	})
	return all, nil
}

// known are this application's transactions, and those of the producers given, as
// their coordinators say, by transactional id.
func (t *Txns) known(ctx context.Context, open []kadm.DescribedProducer) (kadm.DescribedTransactions, error) {
	listed, err := t.adm.ListTransactions(ctx, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("transactions: %w", err)
	}
	var ids []string
	for id, l := range listed {
		if t.own(id) || slices.ContainsFunc(open, func(p kadm.DescribedProducer) bool { return p.ProducerID == l.ProducerID }) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return kadm.DescribedTransactions{}, nil
	}
	known, err := t.adm.DescribeTransactions(ctx, ids...)
	if err != nil {
		return nil, fmt.Errorf("transactions: %w", err)
	}
	maps.DeleteFunc(known, func(_ string, d kadm.DescribedTransaction) bool {
		return errors.Is(d.Err, kerr.TransactionalIDNotFound)
	})
	for id, d := range known {
		if d.Err != nil {
			return nil, fmt.Errorf("transaction of %q: %w", id, d.Err)
		}
	}
	return known, nil
}

// still leaves out what has ended since it was seen in a partition, and so is no
// more known to its coordinator either.
func (t *Txns) still(ctx context.Context, topics kadm.TopicsSet, open []kadm.DescribedProducer, known kadm.DescribedTransactions) ([]kadm.DescribedProducer, error) {
	if !slices.ContainsFunc(open, func(p kadm.DescribedProducer) bool { _, ok := owner(known, p); return !ok }) {
		return open, nil
	}
	now, err := t.open(ctx, topics)
	return slices.DeleteFunc(open, func(p kadm.DescribedProducer) bool {
		return start(now, p.ProducerID, p.Topic, p.Partition) != p.CurrentTxnStartOffset
	}), err
}

// pending says whether a transaction is open for its coordinator.
func pending(d kadm.DescribedTransaction) bool {
	switch d.State {
	case "Ongoing", "PrepareCommit", "PrepareAbort", "PrepareEpochFence":
		return true
	}
	return false
}

// owner is the transactional id whose coordinator will end what is open in a
// partition.
func owner(known kadm.DescribedTransactions, p kadm.DescribedProducer) (string, bool) {
	for id, d := range known {
		if d.ProducerID == p.ProducerID && pending(d) && d.Topics.Lookup(p.Topic, p.Partition) {
			return id, true
		}
	}
	return "", false
}

// start is the offset at which a producer's transaction is open in a partition, or -1.
func start(open []kadm.DescribedProducer, producer int64, topic string, partition int32) int64 {
	for _, p := range open {
		if p.ProducerID == producer && p.Topic == topic && p.Partition == partition {
			return p.CurrentTxnStartOffset
		}
	}
	return -1
}

func hanging(p kadm.DescribedProducer) Transaction {
	return Transaction{
		State: Hanging, Producer: p.ProducerID, Epoch: p.ProducerEpoch, Since: time.UnixMilli(p.LastTimestamp),
		Parts: []OpenPart{{Topic: p.Topic, Partition: p.Partition, Start: p.CurrentTxnStartOffset}},
	}
}
