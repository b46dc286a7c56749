package oracle

import (
	"bytes"
	"maps"
	"slices"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Finish compares what is left at the end, with the group's offsets by partition,
// and returns the counters and the first faults of each kind in words.
func (c *Checker) Finish(committed map[int32]int64) (Counts, []Finding) {
	for _, id := range slices.Sorted(maps.Keys(c.want.customers)) {
		c.customer(id, c.want.customers[id])
	}
	for at, l := range c.want.letters {
		if !l.seen {
			c.fault(Lost, "", nil, "dead letter of input record %d/%d is missing", at.Partition, at.Offset)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(c.want.positions)) {
		c.partition(p, c.want.positions[p], committed)
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
	e := &k.state.entry
	em := e.Emission
	em.AsOf = 0
	switch {
	case !bytes.Equal(e.Facts, k.facts):
		c.fault(Wrong, id, e.Facts, "facts of %q differ: %x, want %x", id, e.Facts, k.facts)
	case em != k.emission:
		c.fault(Wrong, id, nil, "what was last said of %q differs: %+v, want %+v", id, em, k.emission)
	case e.Due != em.Next:
		c.fault(Wrong, id, nil, "the timer of %q is set for %d, want %d", id, e.Due, em.Next)
	}
}

func (c *Checker) partition(p int32, want pipeline.Position, committed map[int32]int64) {
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
	case got.Next > want.Next || got.MaxTime != want.MaxTime || got.Clock != want.Clock:
		c.fault(Wrong, "", nil, "commit record of partition %d is %+v, want %+v", p, *got, want)
	}
}
