// Package decode turns records into events: JSON (the native object and
// Segment's calls) and the lines of tables, by a mapping file. It also writes
// events as native JSON.
package decode

import (
	"unsafe"

	"github.com/dangol-dev/dangol/engine/event"
)

// kind is a kind of object that the decoder reads.
type kind uint8

const (
	nativeKind kind = iota
	itemKind
	segmentKind
	propertiesKind
	productKind
	kinds
)

// JSON decodes one JSON object a record: the native form, or a call of
// Segment's spec (track, page, screen, identify, alias). It reads each record
// once, keeps nothing of it, and allocates nothing once it is warm.
//
// Which of the two forms a record has is said by its "type". That may stand
// anywhere in the record, so the decoder assumes the form of the record before,
// and begins again in the rare case that it was wrong.
//
// A field of value null is absent. Fields that the form does not know are
// checked to be JSON and otherwise ignored. Half a surrogate pair in an escape
// becomes U+FFFD; bytes that are not UTF-8 are refused.
//
// A JSON serves one goroutine. The event's strings alias the record, or the
// decoder where they held escapes; the error is the decoder's own: both hold
// until the next Decode.
type JSON struct {
	// Limit is the last instant, in Unix milliseconds, at which an event may
	// be; later ones are refused as event.FutureTime. 0: no limit. The caller
	// moves it with its clock.
	Limit int64
	// Hold lets events hold until Release, rather than until the next Decode, so
	// that some can be decoded ahead.
	Hold bool

	scanner
	maxBytes, maxItems, maxString int
	money                         converter
	tracks                        tracks

	keys    [kinds]*keys
	ev      *event.Event
	form    kind // nativeKind or segmentKind: what the record is taken for
	typed   bool // the record's type was met and is of that form
	given   uint64
	priced  bool // an item came with a price
	line    line
	product event.Item // of raw.product; of a native item_updated
	raw     raw
}

// raw is what was read and waits for the whole record to be understood.
type raw struct {
	typ       string
	version   string
	time      stamp
	rating    event.Micro
	score     event.Micro
	name      string // Segment's event
	user      string
	anonymous string
	previous  string
	stamps    [4]stamp // in the order in which they are preferred
	source    string   // Segment's channel: server, browser, mobile
	product   line     // properties, or an item_updated, that are a product themselves; its item is JSON.product
	money     amounts
	props     uint64 // the properties that were given
}

// stamp is a time before it is parsed.
type stamp struct {
	text   string
	number bool
	at     int
}

// NewJSON returns a decoder, or the faults of cfg.
func NewJSON(cfg Config) (*JSON, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d := &JSON{
		scanner:  scanner{maxDepth: cfg.MaxDepth},
		maxBytes: cfg.MaxBytes, maxItems: cfg.MaxItems, maxString: cfg.MaxString,
		money:  newConverter(cfg.Currency),
		tracks: newTracks(cfg.Segment),
	}
	d.keys[nativeKind] = newKeys("", nativeNames[:], nil)
	d.keys[itemKind] = newKeys("items.", itemNames[:], []string{"name"})
	d.keys[segmentKind] = newKeys("", segmentNames[:], []string{"context", "integrations", "traits", "version", "_metadata"})
	d.keys[propertiesKind] = newKeys("properties.", propertyNames[:],
		[]string{"name", "brand", "variant", "position", "url", "image_url", "value", "affiliation", "path", "title", "referrer", "search", "query", "cart_id", "checkout_id"})
	d.keys[productKind] = newKeys("properties.products.", productNames[:],
		[]string{"name", "brand", "variant", "position", "url", "image_url", "coupon"})
	return d, nil
}

// Decode reads data into ev, all of whose former content is lost. The error, if
// any, is an *event.Reject that holds until the next Decode; ev is then not to
// be used.
func (d *JSON) Decode(data []byte, ev *event.Event) error {
	if d.decode(data, ev) {
		return nil
	}
	return &d.rej
}

// Release gives the memory back in which decoded events' strings may lie.
func (d *JSON) Release() { d.scratch = d.scratch[:0] }

func (d *JSON) decode(data []byte, ev *event.Event) bool {
	d.data, d.ev = data, ev
	if len(data) > d.maxBytes {
		d.fail(event.TooLarge, "", d.maxBytes)
		return false
	}
	ok := d.read()
	if !d.typed {
		why := d.rej
		if form := d.findForm(); form != d.form {
			d.form = form
			ok = d.read()
		} else {
			d.rej = why
		}
	}
	if !ok {
		return false
	}
	if d.form == nativeKind {
		return d.finishNative()
	}
	return d.finishSegment()
}

// read reads the record as of d.form. It stops where the type says that it is
// of the other.
func (d *JSON) read() bool {
	d.ev.Reset()
	if !d.Hold {
		d.scratch = d.scratch[:0]
	}
	d.typed, d.priced = false, false
	d.raw = raw{}
	i := d.open()
	if i < 0 {
		return false
	}
	if d.given, i = d.object(i, 1, d.form); i < 0 {
		return false
	}
	if i = d.space(i); i < len(d.data) {
		d.fail(event.TrailingBytes, "", i)
		return false
	}
	return true
}

// open steps into the record's object.
func (d *JSON) open() int {
	i := d.space(0)
	switch {
	case i >= len(d.data):
		return d.fail(event.Empty, "", i)
	case d.data[i] != '{':
		return d.wrongType(i, "")
	}
	return i + 1
}

// findForm looks for the record's type by itself and returns the form that it
// stands for: native where there is none.
func (d *JSON) findForm() kind {
	i := d.open()
	if i < 0 {
		return nativeKind
	}
	for i = d.space(i); i < len(d.data) && d.data[i] == '"'; {
		var key, typ string
		if key, i = d.str(i + 1); i < 0 {
			break
		}
		if i = d.colon(i); i < 0 {
			break
		}
		if key == "type" && i < len(d.data) && d.data[i] == '"' {
			if typ, i = d.str(i + 1); i < 0 {
				break
			}
			return formOf(typ)
		}
		if i = d.skip(i, 1); i < 0 {
			break
		}
		var more bool
		if i, more = d.after(i, '}'); !more {
			break
		}
	}
	return nativeKind
}

// formOf tells Segment's calls from native types.
func formOf(typ string) kind {
	switch typ {
	case "track", "page", "screen", "identify", "alias", "group":
		return segmentKind
	}
	return nativeKind
}

// readType reads the record's type at i and stops the reading where it is not
// of the form that the record was taken for.
func (d *JSON) readType(i int) int {
	d.raw.typ, i = d.text(i, "type", d.maxString)
	if i < 0 || formOf(d.raw.typ) != d.form {
		return -1
	}
	d.typed = true
	return i
}

// readStamp steps over a time, a string or a number, and keeps it for later.
func (d *JSON) readStamp(i int, field string, to *stamp) int {
	if i < len(d.data) && d.data[i] == '"' {
		s, next := d.text(i, field, d.maxString)
		*to = stamp{text: s, at: i}
		return next
	}
	if i < len(d.data) && (d.data[i] == '-' || d.data[i]-'0' <= 9) {
		next := d.number(i)
		if next < 0 {
			d.rej.Field = field
			return next
		}
		*to = stamp{text: unsafe.String(&d.data[i], next-i), number: true, at: i}
		return next
	}
	return d.wrongType(i, field)
}

// setTime parses a stamp into the event's time.
func (d *JSON) setTime(s *stamp, field string) bool {
	var reason event.Reason
	switch {
	case s.text == "":
		reason = event.MissingTime
	case s.number:
		d.ev.Time, reason = parseMillis(unsafe.Slice(unsafe.StringData(s.text), len(s.text)))
	default:
		d.ev.Time, reason = parseTime(s.text)
	}
	if reason == "" && d.Limit != 0 && d.ev.Time > d.Limit {
		reason = event.FutureTime
	}
	if reason != "" {
		d.fail(reason, field, s.at)
		return false
	}
	return true
}
