package api

import (
	"context"
	"time"

	"github.com/dangol-dev/dangol/engine/score"
)

// Member is an instance of the application.
type Member struct {
	Instance string // its name among those of one app_id
	Address  string // host:port at which the others reach its API; "": it has told none
}

// Cluster is what this instance knows of those that share the work. It may be a
// moment behind; a customer is then said to be not found only where every
// partition was answered for. It serves many goroutines.
type Cluster interface {
	// Members are the instances there are, this one among them once it has joined.
	Members() []Member
	// Owner is who works on a partition; false: nobody, or it is not known.
	Owner(partition int32) (Member, bool)
	// Standby is who follows a partition of another; false: nobody.
	Standby(partition int32) (Member, bool)
	// Partitions is how many the input has; 0: not known yet.
	Partitions() int32
	// Self is the name of this instance.
	Self() string
}

// Holder knows the partitions that the Query answers for at this moment: those
// that the group gave this instance and whose state is restored.
type Holder interface{ Held() []int32 }

// Copies answers from partitions of other instances that this one follows.
type Copies interface {
	// Copy computes the document of a customer for the present of the copy, which
	// is behind its partition's owner by age. The error is pipeline.ErrNotFound
	// where no copy has the customer.
	Copy(ctx context.Context, id string) (doc *score.Scores, age time.Duration, err error)
}

// guess is the partition that Kafka's own producers put a customer's events
// into, of n > 0. Other producers may do otherwise.
func guess(id string, n int32) int32 {
	return int32(murmur2(id)&0x7fffffff) % n
}

// murmur2 is the hash of Kafka's default partitioner.
func murmur2(s string) uint32 {
	const seed, m = 0x9747b28c, 0x5bd1e995
	h := seed ^ uint32(len(s))
	for ; len(s) >= 4; s = s[4:] {
		k := uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
		k *= m
		k ^= k >> 24
		h = h*m ^ k*m
	}
	if len(s) > 0 {
		for i := range len(s) {
			h ^= uint32(s[i]) << (8 * i)
		}
		h *= m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}
