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
// error it is dead: Close it and open another.
type Session interface {
	// Assigned returns the partitions that this session may process now.
	Assigned() []int32
	// Poll waits for records until ctx ends, and returns at most max of them.
	// None is no error.
	Poll(ctx context.Context, max int) ([]Batch, error)
	// Begin opens a transaction.
	Begin() error
	// Produce hands records to the open transaction.
	Produce(outs []Output)
	// End closes the transaction: everything produced and the next offset of
	// each partition in next become visible at once, or, where it returns
	// false, not at all; then the session polls again from the offsets last
	// committed. With commit false it gives up the transaction. positions holds,
	// for each partition in next, the changelog offset after its last record.
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
	// log order, from offset from (0: the start of the log) to what was its end
	// when Read began. The bytes hold until fn returns. It reports the offset
	// after the last record seen.
	Read(ctx context.Context, partition int32, from int64, fn func([]LogRecord) error) (end int64, err error)
}

// RestoreFunc is called by an opening session for each partition assigned to
// it, before the first record of that partition is polled. committed is the
// group's offset, or -1 where there is none. It returns the offset to start
// from, or -1 for the configured start.
type RestoreFunc func(ctx context.Context, partition int32, committed int64, log ChangelogReader) (start int64, err error)

// OpenFunc opens a session.
type OpenFunc func(ctx context.Context, restore RestoreFunc) (Session, error)
