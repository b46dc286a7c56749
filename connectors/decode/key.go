package decode

import "github.com/dangol-dev/dangol/engine/event"

// keys is the table of one kind of object: the names that may be in it, and
// which one is likely to come next. Producers write their fields in one order,
// so the key that followed last time is compared first, quotes and colon with
// it; only another one is looked up.
type keys struct {
	fields []string // by code: the name with its path, for rejects; code 0 stands for every other key
	quoted []string // `"name":`
	codes  map[string]uint8
	known  uint8 // codes up to this one are read; those above are skipped, and listed only to be predicted
	next   []guess
}

// guess is the key that followed a key when that was last met.
type guess struct {
	quoted string
	code   uint8
}

func newKeys(path string, known, skipped []string) *keys {
	k := &keys{
		fields: []string{""}, quoted: []string{"\x00"}, // matches nothing
		codes: make(map[string]uint8), known: uint8(len(known)),
	}
	for _, name := range append(append([]string(nil), known...), skipped...) {
		k.codes[name] = uint8(len(k.fields))
		k.fields = append(k.fields, path+name)
		k.quoted = append(k.quoted, `"`+name+`":`)
	}
	k.next = make([]guess, len(k.fields))
	for i := range k.next {
		k.next[i].quoted = k.quoted[0]
	}
	return k
}

// key reads the key at i and steps to its value. prev is the code of the key
// before, 0 at the object's beginning.
func (d *JSON) key(k *keys, prev uint8, i int) (uint8, int) {
	g := &k.next[prev]
	if end := i + len(g.quoted); end <= len(d.data) && string(d.data[i:end]) == g.quoted {
		return g.code, d.space(end)
	}
	if i >= len(d.data) || d.data[i] != '"' {
		return 0, d.unexpected(i)
	}
	name, i := d.str(i + 1)
	if i < 0 {
		return 0, i
	}
	code := k.codes[name]
	*g = guess{k.quoted[code], code}
	return code, d.colon(i)
}

// object reads the object whose opening brace is before i and hands each known
// member that is not null to field. It returns the set of those, too.
func (d *JSON) object(i, depth int, kind kind) (uint64, int) {
	if depth > d.maxDepth {
		return 0, d.fail(event.TooDeep, "", i-1)
	}
	k := d.keys[kind]
	var seen, given uint64
	if i = d.space(i); i < len(d.data) && d.data[i] == '}' {
		return 0, i + 1
	}
	for prev := uint8(0); ; {
		at := i
		var code uint8
		if code, i = d.key(k, prev, i); i < 0 {
			return 0, i
		}
		prev = code
		switch bit := uint64(1) << code; {
		case code == 0 || code > k.known:
			i = d.skip(i, depth)
		case seen&bit != 0:
			return 0, d.fail(event.DuplicateField, k.fields[code], at)
		case i < len(d.data) && d.data[i] == 'n':
			seen |= bit
			i = d.literal(i, "null")
		default:
			seen |= bit
			given |= bit
			switch kind {
			case nativeKind:
				i = d.nativeField(code, i, depth)
			case itemKind:
				i = d.itemField(code, i)
			case segmentKind:
				i = d.segmentField(code, i, depth)
			case propertiesKind:
				i = d.propertiesField(code, i, depth)
			case productKind:
				i = d.productField(code, i)
			}
		}
		if i < 0 {
			return 0, i
		}
		var more bool
		if i, more = d.after(i, '}'); !more {
			return given, i
		}
	}
}

// list reads an array of objects at i, each of them by one.
func (d *JSON) list(i, depth int, field string, kind kind) int {
	if i >= len(d.data) || d.data[i] != '[' {
		return d.wrongType(i, field)
	}
	if depth+1 > d.maxDepth {
		return d.fail(event.TooDeep, field, i)
	}
	if i = d.space(i + 1); i < len(d.data) && d.data[i] == ']' {
		return i + 1
	}
	for {
		if i >= len(d.data) || d.data[i] != '{' {
			return d.wrongType(i, field)
		}
		if len(d.ev.Items) == d.maxItems {
			return d.fail(event.TooLarge, field, i)
		}
		if i = d.item(i, depth+2, field, kind); i < 0 {
			return i
		}
		var more bool
		if i, more = d.after(i, ']'); !more {
			return i
		}
	}
}

// item reads one object of a list into the event's items.
func (d *JSON) item(i, depth int, field string, kind kind) int {
	d.ev.Items = append(d.ev.Items, event.Item{Quantity: event.One})
	d.line = line{item: &d.ev.Items[len(d.ev.Items)-1]}
	_, next := d.object(i+1, depth, kind)
	if next < 0 {
		return next
	}
	if !d.line.named() {
		return d.fail(event.MissingItem, field, i)
	}
	d.priced = d.priced || d.line.priced
	return next
}

// line is where an item is read into, and what it is not told.
type line struct {
	item   *event.Item
	sku    string
	priced bool
}

// named gives the item its id; false where it names no article.
func (l *line) named() bool {
	if l.item.ID == "" {
		l.item.ID = l.sku
	}
	return l.item.ID != ""
}
