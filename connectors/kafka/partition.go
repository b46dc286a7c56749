package kafka

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

// partitioner places records of some topics where they say, and every other record
// by its key as Kafka's own clients do.
type partitioner struct {
	told  []string
	byKey kgo.Partitioner
}

func newPartitioner(told ...string) kgo.Partitioner {
	return partitioner{told: told, byKey: kgo.StickyKeyPartitioner(nil)}
}

func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	if slices.Contains(p.told, topic) {
		return asTold{}
	}
	return p.byKey.ForTopic(topic)
}

type asTold struct{}

func (asTold) RequiresConsistency(*kgo.Record) bool { return true }
func (asTold) Partition(r *kgo.Record, _ int) int   { return int(r.Partition) }
