package oracle

import (
	"maps"
	"slices"
)

// Texts keeps some customers' changes as they should be, in full. It is a Sink.
type Texts struct{ changes map[string][]string }

// NewTexts returns a Texts that keeps nobody's.
func NewTexts() *Texts { return &Texts{map[string][]string{}} }

// Of asks for a customer's.
func (t *Texts) Of(id string) { t.changes[id] = nil }

// Change implements Sink.
func (t *Texts) Change(_ int32, id string, _ uint64, change, _ []byte) {
	if texts, ok := t.changes[id]; ok {
		t.changes[id] = append(texts, string(change))
	}
}

// Letter implements Sink.
func (t *Texts) Letter(*Letter) {}

// Each hands out every customer asked for.
func (t *Texts) Each(fn func(id string, changes []string)) {
	for _, id := range slices.Sorted(maps.Keys(t.changes)) {
		fn(id, t.changes[id])
	}
}
