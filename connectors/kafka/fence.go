package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// fence ends the transactions left open by instances that the group no longer has:
// what they did cannot be committed any more, and until it is aborted nobody can tell
// from the log, nor get the group's offsets. By themselves the brokers abort it when
// input.transaction_timeout has passed, or some seconds after that. What a repartition
// stage left open holds up those who read what it wrote, and its group's offsets: its
// instance is asked for in the pipeline's group, too, for who is there has a stage that
// lives. An instance that lives after all, and has been out of the group for as long as
// that, is fenced off by it and begins anew, its stage as well: nothing is lost.
func (s *Session) fence(ctx context.Context) error {
	select {
	case s.fencing <- struct{}{}: // partitions are restored side by side and wait for the same
		defer func() { <-s.fencing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	open, err := s.left(ctx)
	if err != nil || len(open) == 0 {
		return err
	}
	now, _, err := s.members.ask(ctx)
	if err != nil {
		return err
	}
	in := func(instance string) bool {
		return slices.ContainsFunc(now.members, func(m Member) bool { return m.Instance == instance })
	}
	if !in(s.cfg.Instance) {
		return nil // whoever is not in the group has no say in it
	}
	var failed error
	for id, instance := range open {
		if in(instance) {
			continue
		}
		if err := s.takeOver(ctx, id); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		s.log.Warn("aborted the transaction that an instance left open when it died", "instance", instance, "transactional_id", id)
	}
	return failed
}

// left are the open transactions of other instances: by transactional id, whose.
func (s *Session) left(ctx context.Context) (map[string]string, error) {
	listed, err := s.adm.ListTransactions(ctx, nil, []string{"Ongoing"})
	if err != nil {
		return nil, fmt.Errorf("open transactions: %w", err)
	}
	var ids []string
	for _, t := range listed {
		instance, ok := strings.CutPrefix(t.TxnID, s.app+"-")
		if ok && instance != s.cfg.Instance && t.State == "Ongoing" {
			ids = append(ids, t.TxnID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	// By its name alone it could be another application's: app "a", instance "b-1" are
	// called as app "a-b", instance "1".
	described, err := s.adm.DescribeTransactions(ctx, ids...)
	if err != nil {
		return nil, fmt.Errorf("open transactions: %w", err)
	}
	open := map[string]string{}
	for id, t := range described {
		if instance, ok := s.writer(id, t); ok && instance != s.cfg.Instance {
			open[id] = instance
		}
	}
	return open, nil
}

// writer is the instance of a transaction that writes to what is this application's
// alone, by its pipeline or by its repartition stage.
func (s *Session) writer(id string, t kadm.DescribedTransaction) (instance string, ok bool) {
	instance = strings.TrimPrefix(id, s.app+"-")
	if t.Topics[RepartitionTopic(s.app)] != nil {
		return strings.TrimSuffix(instance, ofStage), true
	}
	return instance, slices.ContainsFunc(s.topics[:], func(name string) bool { return t.Topics[name] != nil })
}

// takeOver aborts what is open of a transactional id, as its next user does.
func (s *Session) takeOver(ctx context.Context, id string) error {
	cl, err := kgo.NewClient(append(slices.Clone(s.changelog.opts), kgo.TransactionalID(id), kgo.TransactionTimeout(s.cfg.TxnTimeout))...)
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	defer cl.Close()
	if _, _, err := cl.ProducerID(ctx); err != nil {
		return fmt.Errorf("transactional id %q: %w", id, err)
	}
	return nil
}
