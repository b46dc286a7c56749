package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// fence ends the transactions that producers have left open, of instances that the
// group no longer has: what they did cannot be committed any more, and until it is
// aborted nobody can tell from the log. By themselves the brokers abort it when
// input.transaction_timeout has passed, or some seconds after that. An instance
// that lives after all, and has been out of the group for as long as that, is fenced
// off by it and begins anew.
func (s *Session) fence(ctx context.Context, producers []int64) error {
	select {
	case s.fencing <- struct{}{}: // partitions are restored side by side and wait for the same
		defer func() { <-s.fencing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	open, err := s.adm.ListTransactions(ctx, producers, []string{"Ongoing"})
	if err != nil {
		return fmt.Errorf("open transactions: %w", err)
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
	for _, t := range open {
		instance, ours := strings.CutPrefix(t.TxnID, s.members.app+"-")
		if !ours || in(instance) || t.State != "Ongoing" || !slices.Contains(producers, t.ProducerID) {
			continue
		}
		if err := s.takeOver(ctx, t.TxnID); err != nil {
			return err
		}
		s.log.Warn("aborted the transaction that an instance left open when it died", "instance", instance, "transactional_id", t.TxnID)
	}
	return nil
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
