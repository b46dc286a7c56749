package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// errForce tells how to do what is refused.
var errForce = errors.New("--force does it all the same")

// AbortID ends the open transaction of a transactional id, as its next user would:
// whoever uses it now is fenced off. It returns the transaction as it was.
func (t *Txns) AbortID(ctx context.Context, id string, force bool) (Transaction, error) {
	if !t.own(id) && !force {
		return Transaction{}, fmt.Errorf("transactional id %q is of another application, those of this one begin with %q; %w", id, t.app+"-", errForce)
	}
	described, err := t.adm.DescribeTransactions(ctx, id)
	if err != nil {
		return Transaction{}, fmt.Errorf("transaction of %q: %w", id, err)
	}
	d, err := described.On(id, func(d *kadm.DescribedTransaction) error { return d.Err })
	if errors.Is(err, kerr.TransactionalIDNotFound) {
		return Transaction{}, fmt.Errorf("no coordinator knows the transactional id %q: dangol txn list shows those that there are", id)
	}
	if err != nil {
		return Transaction{}, fmt.Errorf("transaction of %q: %w", id, err)
	}
	was := Transaction{ID: id, Own: t.own(id), State: d.State, Producer: d.ProducerID, Epoch: d.ProducerEpoch}
	d.Topics.Each(func(topic string, p int32) {
		was.Parts = append(was.Parts, OpenPart{Topic: topic, Partition: p, Start: -1})
	})
	if !pending(d) {
		return was, fmt.Errorf("transactional id %q has no open transaction: its state is %s", id, d.State)
	}
	opts, err := t.cfg.Options()
	if err != nil {
		return was, err
	}
	cl, err := kgo.NewClient(append(opts, kgo.TransactionalID(id), kgo.TransactionTimeout(t.cfg.TxnTimeout))...)
	if err != nil {
		return was, fmt.Errorf("kafka client: %w", err)
	}
	defer cl.Close()
	if _, _, err := cl.ProducerID(ctx); err != nil {
		return was, fmt.Errorf("transactional id %q: %w", id, err)
	}
	return was, nil
}

// AbortHanging ends a transaction that hangs in a partition, by the marker that its
// coordinator does not write. It returns the transaction as it was.
func (t *Txns) AbortHanging(ctx context.Context, at OpenPart, force bool) (Transaction, error) {
	if !t.writes(at.Topic) && !force {
		return Transaction{}, fmt.Errorf("topic %q is not written by this application, so the transaction is another's; %w", at.Topic, errForce)
	}
	var in kadm.TopicsSet
	in.Add(at.Topic, at.Partition)
	open, err := t.open(ctx, in)
	if err != nil {
		return Transaction{}, err
	}
	known, err := t.known(ctx, open)
	if err != nil {
		return Transaction{}, err
	}
	if open, err = t.still(ctx, in, open, known); err != nil {
		return Transaction{}, err
	}
	i := slices.IndexFunc(open, func(p kadm.DescribedProducer) bool { return p.CurrentTxnStartOffset == at.Start })
	if i < 0 {
		return Transaction{}, fmt.Errorf("no transaction is open in %s/%d from offset %d: dangol txn list shows those that are", at.Topic, at.Partition, at.Start)
	}
	p := open[i]
	if id, ok := owner(known, p); ok {
		return Transaction{}, fmt.Errorf("the transaction in %s is that of the transactional id %q and does not hang: it ends by itself, or at once by --id", at, id)
	}
	marker := kadm.TxnMarkers{
		ProducerID: p.ProducerID, ProducerEpoch: p.ProducerEpoch, Topics: in,
		CoordinatorEpoch: max(p.CoordinatorEpoch, 0), // none is known where no marker was ever written
	}
	answers, err := t.adm.WriteTxnMarkers(ctx, marker)
	answered := 0
	answers.EachPartition(func(r kadm.TxnMarkersPartitionResponse) {
		answered++
		err = errors.Join(err, r.Err)
	})
	if err == nil && answered == 0 {
		err = errors.New("the broker gave no answer")
	}
	if err != nil {
		return hanging(p), fmt.Errorf("marker in %s: %w", at, err)
	}
	return hanging(p), nil
}

// writes says whether a topic is one of the application's own.
func (t *Txns) writes(topic string) bool {
	return slices.ContainsFunc(ours, func(o pipeline.Topic) bool { return TopicName(t.app, o) == topic })
}
