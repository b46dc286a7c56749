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
)

// Output is one record to be produced. Its bytes hold until End returns. It
// bears the time of producing, not that of the event: retention goes by it.
type Output struct {
	To         Topic
	Partition  int32  // of the changelog; other topics are partitioned by key
	Key, Value []byte // a nil Value is a tombstone
	Headers    []Header
}

// Session is one life of the connection to the input, the outputs and the
// offsets, bound together by transactions. One goroutine uses it. After any
// error, and after a transaction that was not committed, it is dead: Close it
// and open another.
type Session interface {
	// Assigned returns the partitions that this session may process now.
	Assigned() []int32
	// Ends asks the broker for the offset after the last record of each of the
	// input's partitions that a poll could give.
	Ends(ctx context.Context) (map[int32]int64, error)
	// Poll waits for records until ctx ends, and returns at most max of them.
	// None is no error.
	Poll(ctx context.Context, max int) ([]Batch, error)
	// Begin opens a transaction.
	Begin() error
	// Produce hands records to the open transaction.
	Produce(outs []Output)
	// End closes the transaction: everything produced and the next offset of
	// each partition in next become visible at once, or, where it returns
	// false, not at all. Then the session has lost partitions, or may have, and
	// is to be closed. With commit false it gives up the transaction. positions
	// holds, for each partition in next, the changelog offset after its last
	// record. Once ctx has ended, End waits for an absent broker no longer than
	// a short grace.
	End(ctx context.Context, commit bool, next map[int32]int64) (committed bool, positions map[int32]int64, err error)
	// Close leaves the group.
	Close()
}

// LogRecord is one record of the changelog.
type LogRecord struct {
	Offset     int64
	Key, Value []byte // a nil Value deletes the key
}

// ChangelogReader reads a partition of the changelog back.
type ChangelogReader interface {
	// Read calls fn with each committed transaction's records of a partition, in
	// log order, from offset from (0: the start of the log) to a barrier that it
	// writes there first, so that nothing committed before is missed. The bytes
	// hold until fn returns. It reports the offset after the barrier. A log that
	// ends before from is not the one that from is of: ErrFatal.
	Read(ctx context.Context, partition int32, from int64, fn func([]LogRecord) error) (end int64, err error)
}

// RestoreFunc is called by an opening session for each partition assigned to
// it, before the first record of that partition is polled.
type RestoreFunc func(ctx context.Context, a Assignment, log ChangelogReader) (start int64, err error)

// Assignment is a partition that a session is given.
type Assignment struct {
	Partition int32
	Committed int64  // the group's offset, or -1 where there is none
	Start     int64  // where a partition without state begins, as configured
	Identity  uint64 // of the cluster, the application and its topics: state of another is not ours
}

// OpenFunc opens a session.
type OpenFunc func(ctx context.Context, restore RestoreFunc) (Session, error)
