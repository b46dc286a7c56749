package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// partitioner places changelog records where they say, and every other record
// by its key as Kafka's own clients do.
type partitioner struct {
	changelog string
	byKey     kgo.Partitioner
}

func newPartitioner(changelog string) kgo.Partitioner {
	return partitioner{changelog: changelog, byKey: kgo.StickyKeyPartitioner(nil)}
}

func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	if topic == p.changelog {
		return asTold{}
	}
	return p.byKey.ForTopic(topic)
}

type asTold struct{}

func (asTold) RequiresConsistency(*kgo.Record) bool { return true }
func (asTold) Partition(r *kgo.Record, _ int) int   { return int(r.Partition) }
