package brokers

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CreateTopic makes a topic with the brokers' own replication, and waits until
// every broker that serves knows it: one asked too early denies that it exists.
// Settings may be nil.
func (c *Cluster) CreateTopic(ctx context.Context, topic string, partitions int32, settings map[string]*string) error {
	if _, err := c.adm.CreateTopic(ctx, partitions, -1, settings, topic); err != nil {
		return fmt.Errorf("create topic %q: %w", topic, err)
	}
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &topic
	req.Topics = append(req.Topics, t)
	return until(ctx, "topic "+topic+" is not everywhere", func(ctx context.Context) error {
		return c.each(ctx, req, func(_ *node, m *kmsg.MetadataResponse) error {
			return kerr.ErrorForCode(m.Topics[0].ErrorCode)
		})
	})
}

// Leader is the broker that leads a partition now. A dead one still does until
// the others notice.
func (c *Cluster) Leader(ctx context.Context, topic string, partition int32) (int, error) {
	m, err := c.adm.Metadata(ctx, topic)
	if err != nil {
		return 0, err
	}
	p, ok := m.Topics[topic].Partitions[partition]
	if !ok || p.Leader < 0 {
		return 0, fmt.Errorf("%s/%d has no leader: %w", topic, partition, errors.Join(m.Topics[topic].Err, p.Err))
	}
	return int(p.Leader), nil
}

// GroupCoordinator is the broker that coordinates a group now.
func (c *Cluster) GroupCoordinator(ctx context.Context, group string) (int, error) {
	return coordinator(c.adm.FindGroupCoordinators(ctx, group)[group])
}

// Committed are a group's offsets in a topic by partition, those that it has.
func (c *Cluster) Committed(ctx context.Context, group, topic string) (map[int32]int64, error) {
	cl, err := c.client()
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	offs, err := kadm.NewClient(cl).FetchOffsets(ctx, group)
	if err != nil {
		return nil, err
	}
	at := map[int32]int64{}
	for p, o := range offs[topic] {
		if o.Err != nil {
			return nil, fmt.Errorf("offset of %s in %s/%d: %w", group, topic, p, o.Err)
		}
		at[p] = o.At
	}
	return at, nil
}

// TxnCoordinator is the broker that coordinates a transactional id now.
func (c *Cluster) TxnCoordinator(ctx context.Context, id string) (int, error) {
	return coordinator(c.adm.FindTxnCoordinators(ctx, id)[id])
}

func coordinator(r kadm.FindCoordinatorResponse) (int, error) { return int(r.NodeID), r.Err }

// Controller is the node that leads the quorum of controllers now.
func (c *Cluster) Controller(ctx context.Context) (int, error) {
	req := kmsg.NewPtrDescribeQuorumRequest()
	t := kmsg.NewDescribeQuorumRequestTopic()
	t.Topic = "__cluster_metadata"
	t.Partitions = append(t.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
	req.Topics = append(req.Topics, t)
	answer, err := c.cl.Request(ctx, req)
	if err != nil {
		return 0, err
	}
	r := answer.(*kmsg.DescribeQuorumResponse)
	if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
		return 0, err
	}
	if len(r.Topics) != 1 || len(r.Topics[0].Partitions) != 1 {
		return 0, errors.New("the quorum's description names no partition")
	}
	p := r.Topics[0].Partitions[0]
	return int(p.LeaderID), kerr.ErrorForCode(p.ErrorCode)
}

// Feature is the finalised level of a feature of the cluster, such as
// transaction.version; 0 if it is off.
func (c *Cluster) Feature(ctx context.Context, name string) (int, error) {
	versions, err := c.adm.ApiVersions(ctx)
	if err != nil {
		return 0, err
	}
	for _, v := range versions.Sorted() {
		if v.Err != nil {
			return 0, v.Err
		}
		for _, f := range v.Raw().FinalizedFeatures {
			if f.Name == name {
				return int(f.MaxVersionLevel), nil
			}
		}
	}
	return 0, nil
}

// checkFeature refuses brokers that do not defend transactions by epochs.
func (c *Cluster) checkFeature(ctx context.Context) error {
	level, err := c.Feature(ctx, "transaction.version")
	if err == nil && level != transactionVersion {
		err = fmt.Errorf("transaction.version is %d, want %d", level, transactionVersion)
	}
	return err
}
