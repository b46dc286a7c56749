package pipeline

import (
	"fmt"
	"sync"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// Whole is what is true of all customers, outside a running engine: folded from
// the shared log, as every instance does, or counted from the ledgers. Both come
// to the same. One goroutine uses it.
type Whole struct {
	core   *Core
	rules  ledger.Rules
	source *basket.Source
	add    func(*basket.Row, int)
	added  int
	oldest int64 // Unix ms of the earliest event of the customers counted; 0: none
	// namesOnly passes over what can be counted from the ledgers.
	namesOnly bool
}

// wholeRows is how many customers' rows of evidence are counted at once.
const wholeRows = 1024

// NewWhole is of nobody. With namesOnly it takes of the log and of snapshots only
// what the ledgers do not tell: items, models and places.
func NewWhole(cfg Config, enc Encoder, namesOnly bool) *Whole {
	w := &Whole{core: NewCore(cfg, nil, enc, nil, nil), namesOnly: namesOnly}
	w.rules = w.core.rules()
	w.source = basket.NewSource(cfg.Basket, &w.rules)
	w.add = w.core.shared.rows.Add
	return w
}

func (w *Whole) passesOver(tag byte) bool {
	return w.namesOnly && (tag == rowsSection || tag == shiftSection || tag == countsSection) ||
		tag == surveySection || tag == answerSection
}

// Load takes in a part of a snapshot.
func (w *Whole) Load(part []byte) error {
	return eachSection(part, func(tag byte, b []byte) error {
		if w.passesOver(tag) {
			return nil
		}
		return w.core.restoreSection(tag, b)
	})
}

// Loaded says whether the counts of a snapshot were read to their end.
func (w *Whole) Loaded() error {
	if !w.core.shared.whole && !w.namesOnly {
		return errShared
	}
	return nil
}

// Take takes in a record of the shared log.
func (w *Whole) Take(rec SharedRecord) error {
	err := eachSection(rec.Value, func(tag byte, b []byte) error {
		if w.passesOver(tag) {
			return nil
		}
		return w.core.takeSection(rec.Partition, tag, b)
	})
	w.flush()
	return err
}

// Add counts a customer: its evidence, and what was last said of it.
func (w *Whole) Add(led *ledger.Ledger, em *score.Emission) {
	w.source.Each(led, w.add)
	w.core.agg.Add(em)
	if led.First != 0 && (w.oldest == 0 || led.First < w.oldest) {
		w.oldest = led.First
	}
	if w.added++; w.added%wholeRows == 0 {
		w.flush()
	}
}

// flush counts the rows that were gathered.
func (w *Whole) flush() {
	rows := &w.core.shared.rows
	if rows.Empty() {
		return
	}
	w.core.counts.Meet(rows)
	var kinds sync.WaitGroup
	for k := range basket.Kind(basket.NumKinds) {
		kinds.Go(func() { w.core.counts.ApplyKind(k, rows, +1) })
	}
	kinds.Wait()
	rows.Reset()
}

// At says how far a partition has come.
func (w *Whole) At(partition int32, pos Position) {
	w.core.clocks[partition] = place{Position: pos}
}

// Place is how far a partition has come, as it was told.
func (w *Whole) Place(partition int32) Position { return w.core.clocks[partition].Position }

// Pairs is how many pairs of items are counted.
func (w *Whole) Pairs() int { w.flush(); return w.core.counts.Pairs() }

// Save emits all of it as a snapshot's parts.
func (w *Whole) Save(emit func(part []byte) error) error {
	w.flush()
	for _, p := range w.core.clocks {
		w.core.counts.Advance(max(p.Clock, p.MaxTime))
	}
	w.core.counts.Settle()
	return w.core.save(emit)
}

// name is an item's, or its hash where nobody has named it.
func (w *Whole) name(hash uint64) string {
	if it, ok := w.core.dict.Lookup(hash); ok {
		return fmt.Sprintf("%q", it.ID)
	}
	return fmt.Sprintf("#%016x", hash)
}

// names tells of the items counted in o that w's dictionary does not name.
func (w *Whole) names(o *Whole, say func(kind, text string)) {
	for i := 1; i <= o.core.counts.Items(); i++ {
		h := o.core.counts.Item(basket.Ref(i))
		if _, ok := w.core.dict.Lookup(h); !ok {
			say("item", fmt.Sprintf("item %s is in customers' ledgers, and the shared log does not name it", w.name(h)))
		}
	}
}

// PlaceOf is the commit record that a record of the shared log tells, if it does:
// the first record of each transaction has it.
func PlaceOf(value []byte) (partition int32, pos Position, ok bool, err error) {
	err = eachSection(value, func(tag byte, b []byte) error {
		if tag != placeSection {
			return nil
		}
		p, at, err := readPlace(b)
		partition, pos, ok = p, at.Position, err == nil
		return err
	})
	return partition, pos, ok, err
}
