package decode

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/dangol-dev/dangol/engine/event"
)

// maxCells bounds the position of a column where no header says how many there are.
const maxCells = 1 << 16

// width settles how many cells a line has and where its items begin, and returns
// of the header's names those of the cells that every line has.
func (t *Table) width(names []string) ([]string, error) {
	t.first = -1
	if spec := t.m.Columns.ItemsFrom; spec != "" {
		bound := maxCells
		if t.m.Format == "fixed" {
			bound = t.count
		}
		at, err := column(spec, names, bound)
		if err != nil {
			return names, fmt.Errorf("columns.items_from: %w", err)
		}
		t.first, t.count = at, max(at+1, t.m.Count)
	} else if t.m.Count != 0 {
		t.count = t.m.Count
	}
	return names[:min(len(names), t.count)], nil
}

// basket makes an item of each cell from the first of them on: of equal ones one,
// and none of an empty one.
func (t *Table) basket(ev *event.Event) event.Reason {
	for _, c := range t.cells[t.first:] {
		id := unsafe.String(unsafe.SliceData(c), len(c))
		switch {
		case id == "" || slices.ContainsFunc(ev.Items, func(it event.Item) bool { return it.ID == id }):
			continue
		case len(id) > MaxID || len(ev.Items) == t.most:
			return event.TooLarge
		}
		ev.Items = append(ev.Items, event.Item{ID: id, Quantity: event.One})
	}
	if len(ev.Items) == 0 && !ev.HasAmount {
		return event.MissingItem
	}
	return ""
}
