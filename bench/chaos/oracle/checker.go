package oracle

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Kind is one of the five ways to be at fault.
type Kind int

// The kinds; see the package's description.
const (
	Lost Kind = iota
	Doubled
	Reordered
	Torn
	Wrong
	NumKinds
)

var kindNames = [NumKinds]string{"lost", "doubled", "reordered", "torn", "wrong"}

func (k Kind) String() string { return kindNames[k] }

// Counts are the five counters.
type Counts [NumKinds]int

// Zero says that nothing is at fault.
func (c Counts) Zero() bool { return c == Counts{} }

// String is "lost, doubled, reordered, torn, wrong: 0 0 0 0 0".
func (c Counts) String() string {
	var b strings.Builder
	b.WriteString(strings.Join(kindNames[:], ", "))
	b.WriteByte(':')
	for _, n := range c {
		fmt.Fprintf(&b, " %d", n)
	}
	return b.String()
}

// Finding is one fault in words.
type Finding struct {
	Kind     Kind
	Customer string // whose it is; empty: nobody's
	Text     string
	Got      []byte // what differs, where that is known
}

// keptFindings of each kind are told in words; the others are counted.
const keptFindings = 20

// Checker holds the topics against a Want. Feed it each topic's records, a
// partition's in their order, then call Finish. It serves one goroutine.
type Checker struct {
	want     *Want
	counts   Counts
	findings []Finding
	logs     map[int32]*pipeline.Position // latest commit record by partition
}

// NewChecker returns a Checker that writes into a closed Want; each Want serves
// one.
func NewChecker(w *Want) *Checker { return &Checker{want: w, logs: map[int32]*pipeline.Position{}} }

func (c *Checker) fault(k Kind, customer string, got []byte, format string, args ...any) {
	if c.counts[k]++; c.counts[k] <= keptFindings {
		c.findings = append(c.findings, Finding{k, customer, fmt.Sprintf(format, args...), bytes.Clone(got)})
	}
}

var versionField = []byte(`"version":`)

// versionOf reads a change's or a document's version; 0 where there is none. The
// field cannot be part of a text, for there its quotes would be escaped.
func versionOf(value []byte) uint64 {
	i := bytes.Index(value, versionField)
	if i < 0 {
		return 0
	}
	v := uint64(0)
	for _, c := range value[i+len(versionField):] {
		if c < '0' || c > '9' {
			break
		}
		v = 10*v + uint64(c-'0')
	}
	return v
}

// Change takes in a record of the changes topic.
func (c *Checker) Change(r *Record) {
	id := string(r.Key)
	k := c.want.customers[id]
	if k == nil {
		c.fault(Wrong, id, r.Value, "change of %q, of whom no record speaks", id)
		return
	}
	v := versionOf(r.Value)
	switch {
	case v == 0 || v > uint64(len(k.changes)):
		c.fault(Wrong, id, r.Value, "change %d of %q, who should have %d", v, id, len(k.changes))
		return
	case k.seen[v-1]:
		c.fault(Doubled, id, r.Value, "change %d of %q is there again at offset %d/%d", v, id, r.Partition, r.Offset)
		return
	case v < k.last:
		c.fault(Reordered, id, r.Value, "change %d of %q comes after %d at offset %d/%d", v, id, k.last, r.Partition, r.Offset)
	}
	k.seen[v-1], k.last = true, max(k.last, v)
	if textHash(r.Value) != k.changes[v-1] {
		c.fault(Wrong, id, r.Value, "change %d of %q differs", v, id)
	} else if r.Partition != k.partition {
		c.fault(Wrong, id, r.Value, "change %d of %q is in partition %d, its events in %d", v, id, r.Partition, k.partition)
	}
}

// Score takes in a record of the scores topic.
func (c *Checker) Score(r *Record) {
	id := string(r.Key)
	k := c.want.customers[id]
	if k == nil {
		c.fault(Wrong, id, r.Value, "document of %q, of whom no record speaks", id)
		return
	}
	if k.scores.any = true; r.Value == nil {
		k.scores.version = 0
		return
	}
	v := versionOf(r.Value)
	switch {
	case v == 0 || v > uint64(len(k.docs)):
		c.fault(Wrong, id, r.Value, "document %d of %q, who should have %d", v, id, len(k.docs))
		return
	case v == k.scores.highest:
		c.fault(Doubled, id, r.Value, "document %d of %q is there again at offset %d/%d", v, id, r.Partition, r.Offset)
	case v < k.scores.highest:
		c.fault(Reordered, id, r.Value, "document %d of %q comes after %d at offset %d/%d", v, id, k.scores.highest, r.Partition, r.Offset)
	}
	k.scores.version, k.scores.highest = v, max(k.scores.highest, v)
	if textHash(r.Value) != k.docs[v-1] {
		c.fault(Wrong, id, r.Value, "document %d of %q differs", v, id)
	}
}

// Letter takes in a record of the dead letters.
func (c *Checker) Letter(r *Record) {
	at, ok := placeOf(r)
	l := c.want.letters[at]
	switch {
	case !ok || l == nil:
		c.fault(Wrong, "", r.Value, "dead letter at offset %d/%d of input record %d/%d, which is none", r.Partition, r.Offset, at.Partition, at.Offset)
	case l.seen:
		c.fault(Doubled, "", r.Value, "dead letter of input record %d/%d is there again", at.Partition, at.Offset)
	default:
		if l.seen = true; l.hash != letterHash(r.Key, r.Value, r.Headers) {
			c.fault(Wrong, "", r.Value, "dead letter of input record %d/%d differs: %v", at.Partition, at.Offset, r.Headers)
		}
	}
}

// Log takes in a record of the changelog.
func (c *Checker) Log(r *Record) {
	e, err := pipeline.ReadLogEntry(r.Partition, r.Key, bytes.Clone(r.Value))
	if err != nil {
		c.fault(Wrong, "", r.Value, "changelog record at offset %d/%d: %v", r.Partition, r.Offset, err)
		return
	}
	if e.Position != nil {
		if p := c.logs[r.Partition]; p != nil && e.Position.Next < p.Next {
			c.fault(Reordered, "", nil, "commit record of partition %d goes back from %d to %d at offset %d", r.Partition, p.Next, e.Position.Next, r.Offset)
		}
		c.logs[r.Partition] = e.Position
		return
	}
	if e.Customer == "" {
		return
	}
	k := c.want.customers[e.Customer]
	if k == nil {
		c.fault(Wrong, e.Customer, r.Value, "state of %q, of whom no record speaks", e.Customer)
		return
	}
	if r.Partition != k.partition {
		c.fault(Wrong, e.Customer, r.Value, "state of %q is in partition %d, its events in %d", e.Customer, r.Partition, k.partition)
	}
	v := e.Emission.Version
	if v < k.state.highest {
		c.fault(Reordered, e.Customer, r.Value, "state of %q goes back from version %d to %d at offset %d/%d", e.Customer, k.state.highest, v, r.Partition, r.Offset)
	}
	k.state = seenState{any: !e.Erased, entry: e, highest: max(k.state.highest, v)}
}
