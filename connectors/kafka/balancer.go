package kafka

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// balancerName is how the group's members agree on the balancer.
const balancerName = "dangol"

// balancer is a cooperative kgo.GroupBalancer that spreads partitions as spread
// does, so that the partitions of a member that goes go to their standbys. Who has
// what the leader learns from the members' own claims. A member also says where it
// is reached, because the group keeps the client id of the first of a static
// member's lives.
type balancer struct{ address string }

func (balancer) ProtocolName() string { return balancerName }
func (balancer) IsCooperative() bool  { return true }

func (b balancer) JoinGroupMetadata(topics []string, owned map[string][]int32, generation int32) []byte {
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Version = 3 // has generation
	meta.Topics = topics
	meta.Generation = generation
	meta.UserData = []byte(b.address)
	for topic, partitions := range owned {
		o := kmsg.NewConsumerMemberMetadataOwnedPartition()
		o.Topic, o.Partitions = topic, partitions
		meta.OwnedPartitions = append(meta.OwnedPartitions, o)
	}
	slices.SortFunc(meta.OwnedPartitions, func(a, b kmsg.ConsumerMemberMetadataOwnedPartition) int {
		if a.Topic < b.Topic {
			return -1
		}
		return 1
	})
	return meta.AppendTo(nil)
}

func (balancer) ParseSyncAssignment(assignment []byte) (map[string][]int32, error) {
	return kgo.ParseConsumerSyncAssignment(assignment)
}

func (b balancer) MemberBalancer(members []kmsg.JoinGroupResponseMember) (kgo.GroupMemberBalancer, map[string]struct{}, error) {
	cb, err := kgo.NewConsumerBalancer(b, members)
	return cb, cb.MemberTopics(), err
}

// Balance implements kgo.ConsumerBalancerBalance. A partition that moves is given
// to nobody until who has it has let it go and joined anew.
func (balancer) Balance(b *kgo.ConsumerBalancer, topics map[string]int32) kgo.IntoSyncAssignment {
	plan := b.NewPlan()
	for topic, n := range topics {
		var names []string
		byName := map[string]*kmsg.JoinGroupResponseMember{}
		owned, since := map[int32]string{}, map[int32]int32{}
		b.EachMember(func(m *kmsg.JoinGroupResponseMember, meta *kmsg.ConsumerMemberMetadata) {
			if !slices.Contains(meta.Topics, topic) {
				return
			}
			name := memberName(m.InstanceID, m.MemberID)
			names = append(names, name)
			byName[name] = m
			for _, o := range meta.OwnedPartitions {
				if o.Topic != topic {
					continue
				}
				for _, p := range o.Partitions {
					// Of two that claim a partition, who missed rebalances lost it.
					if gen, claimed := since[p]; !claimed || meta.Generation > gen {
						owned[p], since[p] = name, meta.Generation
					}
				}
			}
		})
		for p, name := range spread(names, n, owned) {
			plan.AddPartition(byName[name], topic, p)
		}
	}
	plan.AdjustCooperative(b)
	return plan
}

// memberName is by what a plan knows a member: its instance, which outlives it.
func memberName(instance *string, member string) string {
	if instance != nil {
		return *instance
	}
	return member
}
