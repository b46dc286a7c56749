package pipeline

import "context"

// Header is one header of a record.
type Header struct {
	Key   string
	Value []byte
}

// Record is one input record. Its bytes belong to the session and hold until
// the transaction that it was polled in has ended.
type Record struct {
	Offset     int64
	Timestamp  int64 // Unix ms, the broker's or the producer's
	Key, Value []byte
	Headers    []Header
}

// Batch is what one partition gave in one poll, in the order of its offsets.
type Batch struct {
	Partition int32
	End       int64 // offset after the last record that the broker had to give
	EndAt     int64 // wall, Unix ms, at which it said so
	Records   []Record
}

// Topic names what an Output is for; the session knows the real topic.
type Topic uint8

// The topics that the engine writes.
const (
	Changes     Topic = 1
	Scores      Topic = 2
	DeadLetters Topic = 3
	Changelog   Topic = 4
	Models      Topic = 5
	Affinities  Topic = 6
	Pairs       Topic = 7 // the shared log, see SharedLog
	Population  Topic = 8 // its snapshots
)

// Output is one record to be produced. Its bytes hold until End returns. It
// bears the time of producing, not that of the event: retention goes by it.
type Output struct {
	To         Topic
	Partition  int32  // of Changelog and Pairs; other topics are partitioned by key
	Key, Value []byte // a nil Value is a tombstone
	Headers    []Header
}

// Session is one life of the connection to the input, the outputs and the
// offsets, bound together by transactions. One goroutine uses it. After any
// error it is dead: Close it and open another.
//
// A session that delivers at least once has no transactions. What End writes is seen
// bit by bit, outputs before the changelog, the changelog before the offsets; and
// where End returns false, or an error, some of it may have been.
type Session interface {
	// Assigned returns the partitions that this session may process now: those
	// that the group gave it and that were restored since. Others may be on their
	// way. A partition that was taken away is not in it from the moment that the
	// group asks for it; the transaction that has worked on it will not be
	// committed.
	Assigned() []int32
	// Ends asks the broker where each of the input's partitions ends. That may be behind
	// what no poll gives. at holds where some of them stand: where no record is left of
	// one, it is set to the end.
	Ends(ctx context.Context, at map[int32]int64) (map[int32]int64, error)
	// Poll waits for records until ctx ends, and returns at most max of them.
	// None is no error.
	Poll(ctx context.Context, max int) ([]Batch, error)
	// Begin opens a transaction.
	Begin() error
	// Produce hands records to the open transaction.
	Produce(outs []Output)
	// End closes the transaction: everything produced and the next offset of
	// each partition in next become visible at once, or, where it returns
	// false, not at all. Then the session has lost partitions, or may have; it
	// lives on, and what was polled of those that are left comes again, from the
	// offsets committed or from before. With commit false it gives up the
	// transaction. positions holds, for each partition in next, the changelog
	// offset after its last record. Once ctx has ended, End waits for an absent
	// broker no longer than a short grace.
	End(ctx context.Context, commit bool, next map[int32]int64) (committed bool, positions map[int32]int64, err error)
	// Close leaves the group.
	Close()
}

// LogRecord is one record of the changelog.
type LogRecord struct {
	Offset     int64
	Key, Value []byte // a nil Value deletes the key
	// Stale says that it does not count: who wrote it had lost the partition. Since the
	// log's compaction does not know, its key is to be written again.
	Stale bool
}

// ChangelogReader reads a partition of the changelog back.
type ChangelogReader interface {
	// Read calls fn with each committed transaction's records of a partition, in
	// log order (and with what one that is none has left unfinished), from offset from (0: the start of the log) to a barrier that it
	// writes there first, so that nothing committed before is missed. The bytes
	// hold until fn returns. upTo, of every call the same, is the offset after the
	// barrier, which Read reports at the end. A log that ends before from is not the
	// one that from is of: ErrFatal.
	Read(ctx context.Context, partition int32, from int64, fn func(recs []LogRecord, upTo int64) error) (end int64, err error)
	// Follow is Read without a barrier or an end: it goes on with what is committed
	// next, until ctx ends.
	Follow(ctx context.Context, partition int32, from int64, fn func(recs []LogRecord) error) error
}

// Keeper is who keeps the partitions' state, and is called by a session from
// goroutines of its own: for one partition by one at a time.
type Keeper interface {
	// Restore brings the state of a partition that was assigned up to what is
	// committed, and returns the offset from which it goes on. The session polls no
	// record of it before; meanwhile it works on others. ctx ends when the partition is
	// taken away, also after Restore has returned.
	Restore(ctx context.Context, a Assignment, log ChangelogReader) (start int64, err error)
	// Follow keeps up with a partition of another process, so that taking it over
	// takes little. It returns when ctx ends.
	Follow(ctx context.Context, a Assignment, log ChangelogReader) error
}

// Assignment is a partition that a session is given.
type Assignment struct {
	Partition int32
	Committed int64 // the group's offset, or -1 where there is none
	Start     int64 // where a partition without state begins, as configured
	// Kept is the offset of the first record that the input still has. Skip is told
	// which were deleted before they were read, and are gone on without; where it is
	// nil, they are not.
	Kept int64
	Skip func(first, last int64)
	// Identity is, in its upper half, that of the cluster and the application, whose
	// state alone is ours, and in its lower half that of the input topic and the
	// changelog, whose offsets mean something else when they are made anew.
	Identity uint64
}

// OpenFunc opens a session.
type OpenFunc func(ctx context.Context, keeper Keeper) (Session, error)

// SharedRecord is one record of the shared log.
type SharedRecord struct {
	Partition int32
	Offset    int64
	Value     []byte
}

// SharedLog is what all instances of an application read: each transaction says
// in it what it has changed of what is true of all customers. One
// goroutine uses it, but Save may run beside Poll.
type SharedLog interface {
	// Load calls fn with the parts of the latest snapshot, in their order, and
	// returns, by partition, the offset from which Poll goes on: that of the
	// snapshot, or the start of the log where there is none.
	Load(ctx context.Context, fn func(part []byte) error) (at map[int32]int64, err error)
	// Ends are the offsets after the last record of a transaction that has ended,
	// by partition.
	Ends(ctx context.Context) (map[int32]int64, error)
	// Poll returns what came since, in the order of each partition, without waiting
	// for more, and up to where that is, of partitions that went on. The bytes hold
	// until the next Poll.
	Poll() (recs []SharedRecord, at map[int32]int64, err error)
	// Save stores a snapshot as of some offsets: what write emits. The log before
	// those of the snapshot before may go then.
	Save(ctx context.Context, at map[int32]int64, write func(emit func(part []byte) error) error) error
	Close()
}
