// Package pipeline is order and durability: it carries batches of records
// through the shards, fires their timers, and commits what came of them once.
package pipeline

import (
	"context"
	"errors"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
)

// Decoder turns a record's bytes into an event. The error, if any, is an
// *event.Reject, which holds until the next Decode; the event may alias data and
// the decoder's memory, until Release. One Decoder serves one goroutine.
type Decoder interface {
	Decode(data []byte, ev *event.Event) error
	Release()
}

// Encoder writes documents in their wire form, appended to dst. It holds no
// state and serves many goroutines.
type Encoder interface {
	AppendScores(dst []byte, s *score.Scores) []byte
	// AppendChange takes the document as what AppendScores wrote for c.Scores;
	// doc is ignored where c.Scores is nil.
	AppendChange(dst []byte, c *score.Change, doc []byte) []byte
	AppendAffinities(dst []byte, a *score.ItemAffinities) []byte
	// AppendModels and ParseModels write what was learned and read it back.
	AppendModels(dst []byte, l *score.Learned) []byte
	ParseModels(b []byte) (*score.Learned, error)
}

// ErrNotFound is returned for a customer or an item never seen.
var ErrNotFound = errors.New("not found")

// ErrNotReady is returned while the state is being restored.
var ErrNotReady = errors.New("not ready: state is being restored")

// Query answers from committed state; it serves many goroutines. What goes with
// what may count a transaction that is just being ended.
type Query interface {
	// Customer computes the document of a customer. asOf is an instant in Unix
	// milliseconds, or 0 for the present of the customer's partition. For an
	// instant, the facts up to it count, and the models are those of all
	// customers' facts up to it.
	Customer(ctx context.Context, id string, asOf int64) (*score.Scores, error)
	// Affinities lists the items that go with an item by a kind of evidence
	// (basket.Kinds), best first.
	Affinities(ctx context.Context, item, kind string, k int) ([]score.Affinity, error)
	// Together lists the items that go best with a set of them, and those of the
	// set that nobody knows.
	Together(ctx context.Context, items []string, kind string, k int) (offers []score.Offer, unknown []string, err error)
	// Audience lists the customers to tell about an item, best first.
	Audience(ctx context.Context, item string, limit int) ([]score.Target, error)
	// Population is what is true of all customers at asOf (0: the present).
	Population(ctx context.Context, asOf int64) (*score.Population, error)
	// Models is what was learned, as scores are computed with now.
	Models(ctx context.Context) (*score.Learned, error)
	// Ready is nil when every assigned partition answers, else it says why not.
	Ready() error
}

// LatencyBuckets are the upper bounds, in seconds, of Stats.Latency.
var LatencyBuckets = [...]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}

// Stats is a copy of the pipeline's counters since its start.
type Stats struct {
	Events     uint64                  // applied to the facts, or recognised as a duplicate
	Duplicates uint64                  // changed no fact
	Late       uint64                  // behind the watermark by more than the allowed lateness
	Timers     uint64                  // fired
	Changes    uint64                  // emitted
	Rejects    map[event.Reason]uint64 // dead letters by reason
	Unkeyed    uint64                  // records whose key is not the customer id
	InputBytes uint64

	Commits       uint64
	Aborts        uint64
	Sessions      uint64  // opened; more than one: an error ended the one before
	CommitSeconds float64 // spent in commits, all together
	LastCommit    float64 // seconds the latest commit took
	Recoveries    uint64
	RecoveredRecs uint64  // changelog records replayed
	RecoverySecs  float64 // the latest recovery
	JoinSeconds   float64 // that it took to learn what is true of all customers

	Snapshots       uint64 // of what is true of all customers
	SnapshotsFailed uint64
	SnapshotBytes   int64 // of the latest one

	// Latency counts events by the time from their Kafka timestamp to the
	// commit of what they caused; one count more than LatencyBuckets, the last
	// for all beyond.
	Latency    [len(LatencyBuckets) + 1]uint64
	LatencySum float64 // seconds

	Learned    *score.Learned // what scores are computed with
	Fits       FitStats
	Customers  int
	Buyers     int
	Items      int
	HotBytes   int64 // decoded customers held in memory
	StateBytes int64 // on disk
	HotHits    uint64
	HotMisses  uint64

	// The co-occurrence counts.
	Pairs          int
	Triples        int
	Dropped        int   // neighbours and triples let go for want of room
	GiantBaskets   int   // that are counted in part
	ItemCollisions int   // items met whose hash is another's
	CountsBytes    int64 // about

	Verdict nextbest.Verdict // on offer lists, by the orders that followed; see Judged

	Partitions []PartitionStats
	Restoring  []RestoreStats // assigned, not open yet
	Standby    []StandbyStats // of other instances, that copies are kept of
}

// FitStats is about the fits of models.
type FitStats struct {
	Failed  uint64  // could not read the state
	Seconds float64 // the latest one took
}

// PartitionStats is the position of one input partition.
type PartitionStats struct {
	Partition  int32
	NextOffset int64
	Lag        int64   // records behind the end
	LagSeconds float64 // age of the newest committed record while others wait behind it; 0 at the end
	Watermark  int64   // Unix ms
	Clock      int64   // Unix ms
}
