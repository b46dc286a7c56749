package state

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// ErrClosed is returned by a store that was closed, or is closing.
var ErrClosed = errors.New("state is closed")

// Store is the committed state of all partitions of one process, in one
// directory. Its methods serve many goroutines; the tables it opens do not.
type Store struct {
	db     *pebble.DB
	lock   *pebble.Lock
	health *health
	damage *damage
	disk   io.Closer // the watch over slow operations
	budget budget
	tuning tuning
	sync   *pebble.WriteOptions // whether a commit waits for the log

	opening sync.RWMutex // read: while a batch is made and written; no table is opened meanwhile
	commit  sync.Mutex   // one batch at a time
	chain   chain        // under commit

	mu     sync.Mutex
	closed bool
	users  sync.WaitGroup // calls that use db
	tables map[int32]*Table
	gone   Metrics // hits, misses and evictions of tables that were closed
}

// tuning is what tests make small.
type tuning struct {
	chunkShift uint8 // log2 of the units in a chunk
	timerBatch int   // timers read from the index at once

	// write takes the place of Store.write, for tests that plant a fault there.
	write func(*Store, *pebble.Batch) error
}

var defaultTuning = tuning{chunkShift: 15, timerBatch: 8192}

// enter takes part in the store until leave; it fails once the store closes.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.users.Add(1)
	return nil
}

func (s *Store) leave() { s.users.Done() }

// Flush writes everything committed to disk and returns when it is there. While
// writes to disk fail it returns their error; they are retried behind it.
func (s *Store) Flush() error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	return s.flush()
}

func (s *Store) flush() error {
	if err := s.health.fault(); err != nil {
		return s.cannotWrite(err)
	}
	s.health.stopWithoutLog()
	defer s.health.lastWord()
	done, err := s.db.AsyncFlush()
	if err != nil {
		return fmt.Errorf("flush state: %w", err)
	}
	for {
		select {
		case <-done:
			return nil
		case <-s.health.failure():
			if err := s.health.fault(); err != nil {
				return s.cannotWrite(err)
			}
		}
	}
}

func (s *Store) cannotWrite(err error) error {
	return fmt.Errorf("cannot write state to disk; make room or replace the disk, then restart: %w", err)
}

// Close flushes and closes the store. Calls in progress finish first, later ones
// return ErrClosed. What could not be flushed is lost, as after a crash, and
// the error says so.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.closed = true
	s.mu.Unlock()
	s.users.Wait()
	return errors.Join(s.flush(), s.db.Close(), s.lock.Close(), s.disk.Close())
}

// Drop deletes everything of a partition, its position among it, durably. Its
// table must be closed. It serves to restore the partition from the beginning.
func (s *Store) Drop(partition int32) error {
	if err := checkPartition(partition); err != nil {
		return err
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	s.opening.Lock()
	defer s.opening.Unlock()
	s.mu.Lock()
	_, open := s.tables[partition]
	s.mu.Unlock()
	if open {
		return fmt.Errorf("drop partition %d: its table is open", partition)
	}
	b := s.db.NewBatch()
	defer b.Close()
	for _, space := range []byte{spacePosition, spaceCount, spaceData, spaceTimer} {
		if err := b.DeleteRange(appendSpace(nil, space, partition), spaceEnd(space, partition), nil); err != nil {
			return err
		}
	}
	if err := s.apply(b); err != nil {
		return fmt.Errorf("drop partition %d: %w", partition, err)
	}
	return s.flush()
}

// apply commits a batch. It refuses while flushes fail: Pebble would take what it
// cannot keep until its memory is full, and then wait without a word. It refuses for
// good where damage was met.
func (s *Store) apply(b *pebble.Batch) error {
	s.commit.Lock()
	defer s.commit.Unlock()
	if err := s.health.fault(); err != nil {
		return s.cannotWrite(err)
	}
	if err := s.damage.met(); err != nil {
		return fmt.Errorf("%w; restart: the state is then read back from its source", err)
	}
	if err := s.chain.extend(b); err != nil {
		return err
	}
	write := (*Store).write
	if s.tuning.write != nil {
		write = s.tuning.write
	}
	if err := write(s, b); err != nil {
		return err
	}
	s.chain.last++
	return nil
}

// write hands a batch to Pebble. It does not return where the log cannot be
// written: what is committed next would be acknowledged and lost.
func (s *Store) write(b *pebble.Batch) error {
	s.health.stopWithoutLog()
	defer s.health.lastWord()
	return s.db.Apply(b, s.sync)
}

// Table opens the owner's view of a partition and loads what fits of it into
// memory. A partition has one table at a time.
func (s *Store) Table(partition int32) (*Table, error) {
	if err := checkPartition(partition); err != nil {
		return nil, err
	}
	t := &Table{store: s, partition: partition}
	if err := s.register(t); err != nil {
		return nil, err
	}
	if err := t.fill(); err != nil {
		t.Close()
		return nil, fmt.Errorf("open partition %d: %w", partition, s.damage.heard(err))
	}
	return t, nil
}

func (s *Store) register(t *Table) error {
	s.opening.Lock() // a restore in progress has seen that there is no table
	defer s.opening.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if s.tables[t.partition] != nil {
		return fmt.Errorf("partition %d: its table is open already", t.partition)
	}
	s.tables[t.partition] = t
	t.hot = newHotSet(&s.budget, s.tuning.chunkShift)
	return nil
}

func (s *Store) forget(t *Table) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables[t.partition] == t {
		delete(s.tables, t.partition)
		s.gone.count(t)
	}
}
