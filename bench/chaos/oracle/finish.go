package oracle

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/state"
)

// Finish compares what is left at the end, with the group's offsets by partition, and the
// ends of the input, before which there may be what is no record, and returns the counters
// and the first faults of each kind in words.
func (c *Checker) Finish(committed, ends map[int32]int64) (Counts, []Finding) {
	for _, id := range slices.Sorted(maps.Keys(c.want.customers)) {
		c.customer(id, c.want.customers[id])
	}
	for at, l := range c.want.letters {
		if !l.seen {
			c.fault(Lost, "", nil, "dead letter of input record %d/%d is missing", at.Partition, at.Offset)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(c.want.positions)) {
		c.partition(p, c.want.positions[p], committed, ends[p])
	}
	return c.counts, c.findings
}

func (c *Checker) customer(id string, k *wanted) {
	last := uint64(len(k.changes))
	for i, seen := range k.seen {
		if !seen {
			c.fault(Lost, id, nil, "change %d of %d of %q is missing", i+1, last, id)
		}
	}
	scores := k.scores.version
	if k.scores.any && scores == 0 && last > 0 && k.docs[last-1] == 0 {
		scores = last // a tombstone, and rightly
	}
	state := k.state.entry.Emission.Version
	want := last
	if last > 0 && !k.seen[last-1] {
		want = state // the change is lost; do the other two agree?
	}
	switch {
	case last == 0 && !k.state.any:
		c.fault(Lost, id, nil, "state of %q is missing", id)
	case state != want || scores != want:
		c.fault(Torn, id, nil, "of %q the latest change is %d, the latest document %d, the state %d", id, want, scores, state)
	case state == last:
		c.state(id, k)
	}
}

// state compares the state with what it should be at this version.
func (c *Checker) state(id string, k *wanted) {
	if fault := k.differs(&k.state.entry); fault != "" {
		c.fault(Wrong, id, k.state.entry.Facts, "the state of %q: %s", id, fault)
	}
}

// differs says how a state that is of the latest version is another than it
// should be; "": it is not.
func (k *wanted) differs(e *pipeline.LogEntry) string {
	em := e.Emission
	em.AsOf = 0
	switch {
	case !bytes.Equal(e.Facts, k.facts):
		return fmt.Sprintf("facts %x, want %x", e.Facts, k.facts)
	case em != k.emission:
		return fmt.Sprintf("last said %+v, want %+v", em, k.emission)
	case e.Due != em.Next:
		return fmt.Sprintf("timer set for %d, want %d", e.Due, em.Next)
	}
	return ""
}

// Local compares a partition in the store of an instance that has worked on it to
// the end. where names the store. The error is that it cannot be read.
func (c *Checker) Local(where string, partition int32, store *state.Store) error {
	seen := 0
	err := pipeline.EachStateEntry(store, partition, func(e pipeline.LogEntry) error {
		k := c.want.customers[e.Customer]
		switch {
		case k == nil || k.partition != partition:
			c.fault(Wrong, e.Customer, e.Facts, "%s holds %q in partition %d, of whom no record there speaks", where, e.Customer, partition)
			return nil
		case e.Emission.Version != uint64(len(k.changes)):
			c.fault(Torn, e.Customer, e.Facts, "%s holds %q at version %d, want %d", where, e.Customer, e.Emission.Version, len(k.changes))
		default:
			if fault := k.differs(&e); fault != "" {
				c.fault(Wrong, e.Customer, e.Facts, "%s, %q: %s", where, e.Customer, fault)
			}
		}
		seen++
		return nil
	})
	want := 0
	for _, k := range c.want.customers {
		if k.partition == partition {
			want++
		}
	}
	if err == nil && seen < want {
		c.fault(Lost, "", nil, "%s holds %d customers of partition %d, want %d", where, seen, partition, want)
	}
	return err
}

func (c *Checker) partition(p int32, want pipeline.Position, committed map[int32]int64, end int64) {
	got := c.logs[p]
	if got == nil {
		c.fault(Lost, "", nil, "partition %d has no commit record, want one at %d", p, want.Next)
		return
	}
	if n, ok := committed[p]; !ok || n != got.Next {
		c.fault(Torn, "", nil, "partition %d: the group's offset is %d, the commit record's %d", p, n, got.Next)
	}
	switch {
	case got.Next < want.Next:
		c.fault(Lost, "", nil, "partition %d: the commit record ends at %d, the input at %d", p, got.Next, want.Next)
	case got.Next > max(want.Next, end) || got.MaxTime != want.MaxTime || got.Clock != want.Clock:
		c.fault(Wrong, "", nil, "commit record of partition %d is %+v, want %+v", p, *got, want)
	}
}
