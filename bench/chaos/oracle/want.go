package oracle

import (
	"bytes"

	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

// Want is what should be there, small enough for millions of changes: hashes of
// the texts, and every customer's final state. It is a Sink.
type Want struct {
	customers map[string]*wanted
	letters   map[Place]*letter
	positions map[int32]pipeline.Position
	changes   int
	timers    int // among the changes, those of time alone
}

// wanted is a customer; the slices are by version less 1.
type wanted struct {
	partition int32
	changes   []uint64
	docs      []uint64 // 0: erased
	seen      []bool   // among the changes

	last     uint64 // version of the change seen last
	scores   seenScores
	state    seenState
	facts    []byte
	emission score.Emission // but for its AsOf
}

type seenScores struct {
	any     bool
	version uint64 // of the latest document; of a tombstone 0
	highest uint64
}

type seenState struct {
	any     bool
	entry   pipeline.LogEntry
	highest uint64
}

type letter struct {
	hash uint64
	seen bool
}

// NewWant returns an empty Want.
func NewWant() *Want {
	return &Want{customers: map[string]*wanted{}, letters: map[Place]*letter{}, positions: map[int32]pipeline.Position{}}
}

func (w *Want) of(partition int32, id string) *wanted {
	c := w.customers[id]
	if c == nil {
		c = &wanted{partition: partition}
		w.customers[string([]byte(id))] = c
	}
	return c
}

// Change implements Sink.
func (w *Want) Change(partition int32, id string, version uint64, change, doc []byte) {
	c := w.of(partition, id)
	if version != uint64(len(c.changes))+1 {
		panic("oracle: a customer's versions do not run from 1 on")
	}
	c.changes, c.docs = append(c.changes, textHash(change)), append(c.docs, textHash(doc))
	c.seen = append(c.seen, false)
	w.changes++
	if bytes.Contains(change, byTimer) {
		w.timers++
	}
}

var byTimer = []byte(`"cause":{"kind":"timer"`)

// Letter implements Sink.
func (w *Want) Letter(l *Letter) {
	w.letters[l.Of] = &letter{hash: letterHash(l.Key, l.Value, l.Headers)}
}

// Close takes in where the partitions ended, and so lets go of the ledgers.
func (w *Want) Close(parts map[int32]*Partition) {
	for n, p := range parts {
		w.positions[n] = p.Position()
		for id, c := range p.Customers {
			known := w.of(n, id)
			known.facts = c.Facts.AppendFacts(nil)
			known.emission = c.Emission
			known.emission.AsOf = 0
		}
	}
}

// Customers is how many are expected.
func (w *Want) Customers() int { return len(w.customers) }

// Changes is how many are expected, of all customers.
func (w *Want) Changes() int { return w.changes }

// Timers is how many of the changes are made by time alone.
func (w *Want) Timers() int { return w.timers }

// Letters is how many dead letters are expected.
func (w *Want) Letters() int { return len(w.letters) }
