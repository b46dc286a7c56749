package brokers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	pollEvery = 50 * time.Millisecond
	askWithin = 5 * time.Second // for one answer, of brokers that may be dead
	nobody    = "brokers-ready" // a group and a transactional id that nobody has
)

// until asks until the answer is nil or the context ends; then the last answer
// is in the error.
func until(ctx context.Context, what string, ask func(context.Context) error) error {
	for {
		err := func() error {
			ctx, cancel := context.WithTimeout(ctx, askWithin)
			defer cancel()
			return ask(ctx)
		}()
		if err == nil || errors.Is(err, errEnded) || errors.Is(err, errOver) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w; the last answer: %w", what, ctx.Err(), err)
		case <-time.After(pollEvery):
		}
	}
}

// Ready waits until every broker that was launched, and neither killed, stopped
// nor paused since, serves clients, and the coordinators of groups and of
// transactions answer. A broker that ended by itself is an error, with the end
// of its log.
func (c *Cluster) Ready(ctx context.Context) error {
	return until(ctx, "the brokers are not ready", func(ctx context.Context) error {
		// A broker answers once the controller lets it serve.
		err := c.each(ctx, kmsg.NewPtrMetadataRequest(), func(n *node, m *kmsg.MetadataResponse) error {
			if !slices.ContainsFunc(m.Brokers, func(b kmsg.MetadataResponseBroker) bool { return b.NodeID == int32(n.id) }) {
				return errors.New("is not registered")
			}
			return nil
		})
		if err != nil {
			return err
		}
		return c.coordinate(ctx)
	})
}

// each asks every broker that is to serve the same, and has the answers checked.
func (c *Cluster) each(ctx context.Context, req *kmsg.MetadataRequest, check func(*node, *kmsg.MetadataResponse) error) error {
	for _, n := range c.nodes {
		due, err := n.due()
		if err != nil {
			return err
		}
		if !due {
			continue
		}
		answer, err := c.cl.SeedBrokers()[n.id].Request(ctx, req)
		if err == nil {
			err = check(n, answer.(*kmsg.MetadataResponse))
		}
		if err != nil {
			return fmt.Errorf("broker %d: %w", n.id, err)
		}
	}
	return nil
}

// coordinate asks for the state of a group and of a transactional id that are
// not there: only coordinators that have loaded theirs can tell.
func (c *Cluster) coordinate(ctx context.Context) error {
	cl, err := c.client()
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	if _, err := adm.FetchOffsets(ctx, nobody); err != nil {
		return fmt.Errorf("coordinator of groups: %w", err)
	}
	txns, err := adm.DescribeTransactions(ctx, nobody)
	if err == nil {
		err = txns[nobody].Err
	}
	if !errors.Is(err, kerr.TransactionalIDNotFound) {
		return fmt.Errorf("coordinator of transactions: %w", err)
	}
	return nil
}

// InSync waits until every partition has a leader and all its replicas are in
// sync: from then on one broker can die and no partition stands still. Brokers
// notice a death after seconds only, so call Ready first after a Restart.
func (c *Cluster) InSync(ctx context.Context) error {
	return until(ctx, "not all replicas are in sync", func(ctx context.Context) error {
		m, err := c.adm.Metadata(ctx)
		if err != nil {
			return err
		}
		for _, t := range m.Topics.Sorted() {
			if t.Err != nil {
				return fmt.Errorf("%s: %w", t.Topic, t.Err)
			}
			for _, p := range t.Partitions.Sorted() {
				if p.Leader < 0 || len(p.ISR) < len(p.Replicas) {
					return fmt.Errorf("%s/%d: leader %d, in sync %v of %v", p.Topic, p.Partition, p.Leader, p.ISR, p.Replicas)
				}
			}
		}
		return nil
	})
}
