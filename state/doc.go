// Package state keeps keyed blobs, each with an optional due time, for the
// partitions that one process holds. It knows bytes, not what they mean.
//
// # The problem
//
// A transaction touches some thousands of keys; most are touched again soon,
// and whether the transaction will commit is not known until it has. Writing
// each change to the disk as it comes costs more than everything else
// together, and undoing it after an abort costs a store that can be wrong.
//
// # The shape
//
//   - A [Store] is one Pebble directory. It holds committed state only.
//   - A [Table] is the view of one partition, owned by one goroutine: changes
//     live in an overlay in memory until a [Batch] commits them or [Table.Abort]
//     drops them. Between transactions what a Table says is what is committed.
//   - A Batch writes the overlays of all tables, their timers and the commit
//     records (positions) in one Pebble batch, in key order.
//
// # Durability
//
// After a crash Pebble has an exact prefix of the committed batches: data,
// timers, counts and positions of the same instant. Whoever keeps the source of
// the changes replays from [Store.Position]. How long the prefix is depends on
// [Config].Durability:
//
//	changelog  what was flushed; there is no write-ahead log
//	wal        and what of the log has left the process and reached the disk
//	sync       all that Commit returned for
//
// While flushes fail, commits are refused, and go on by themselves when a flush
// succeeds. Where Pebble's list of files or the write-ahead log cannot be
// written the process ends: what it would commit then would be in no file. Its
// successor finds the prefix.
//
// # Damage
//
// Pebble checks the sum of each block that it reads, and the sizes of its files
// when it starts. It does not see that a batch is missing where it replays a log
// over a hole; a chain over all batches ([chain]) does. Whatever finds damage
// returns [ErrDamaged] and notes it in the directory, in a file named DAMAGED:
// no commit is taken from then on, and no later Open. [Quarantine] moves such a
// directory away, and the state is replayed from its source. An older copy of a
// directory is no damage: it is a shorter prefix.
//
// # Memory
//
// Committed and changed entries share a hot set whose bytes are bounded and
// hold no pointers, so that the garbage collector never looks at a key: blocks
// of 8-byte units in large chunks ([arena]), found through an open-addressing
// index of 8-byte slots. An entry costs 16 bytes of header, 3.5 of rounding on
// average and 10 to 15 of index above its key and value. When the bound is
// reached, a CLOCK hand walks the chunks and evicts clean entries that were not
// read since it last came by; changed ones stay until they are committed.
//
// # Timers
//
// The timer index is ordered by (due, key) on disk. A Table holds the next few
// thousand in a heap and reads on when they are used up. A key at rest costs
// nothing but its place in the index.
package state
