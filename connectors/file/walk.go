package file

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/dangol-dev/dangol/connectors/decode"
)

// marker is the number that begins and ends a customer's list in Tafeng files. It
// is no item, and a list of nothing else no basket.
const marker = "-1"

// walk goes from basket to basket through files of the form
//
//	{"user": [[-1], [item, item], [item], [-1]], "user": …}
//
// An item is a number or a text. Nothing but the present basket is in memory.
type walk struct {
	*input
	opts   *Options
	report *Report
	dec    *json.Decoder
	inside bool // of a user's list
	user   string
	items  []string // of the present basket, each once
	long   bool     // it has more items than may be
	number int64    // of the present basket, through all files
}

// openWalk opens the first file and enters its object.
func (r *Reader) openWalk(stage Stage, report *Report) (*walk, error) {
	in, err := r.newInput(stage)
	if err != nil {
		return nil, err
	}
	w := &walk{input: in, opts: &r.opts, report: report}
	if err := w.advance(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// advance goes to the next file and enters its object; io.EOF: there is none.
func (w *walk) advance() error {
	if err := w.input.advance(); err != nil {
		return err
	}
	if w.several {
		w.report.begin(w.path, w.number)
	}
	w.dec = json.NewDecoder(w.input)
	w.dec.UseNumber()
	return w.expect('{', "the baskets are one object, {\"user\": [[item, …], …], …}")
}

// next reads the next basket; io.EOF after the last one of the last file.
func (w *walk) next() error {
	for {
		tok, err := w.token()
		if err != nil {
			return err
		}
		switch {
		case tok == json.Delim('}'):
			if err = w.end(); err == nil {
				err = w.advance()
			}
		case !w.inside:
			w.user, w.inside = tok.(string), true // keys are nothing else
			err = w.expect('[', "a user has a list of baskets")
		case tok == json.Delim(']'):
			w.inside = false
		case tok == json.Delim('['):
			var found bool
			if found, err = w.basket(); found && err == nil {
				w.number++
				return nil
			}
		default:
			err = w.at(fmt.Errorf("%v: a basket is a list of items", tok))
		}
		if err != nil {
			return err
		}
	}
}

// basket reads the items of a list that has begun; false: it held markers only.
func (w *walk) basket() (bool, error) {
	w.items, w.long = w.items[:0], false
	marked := false
	for {
		tok, err := w.token()
		if err != nil {
			return false, err
		}
		var id string
		switch v := tok.(type) {
		case json.Number:
			id = string(v)
		case string:
			id = v
		default:
			if v == json.Delim(']') {
				return !marked || len(w.items) > 0, nil
			}
			return false, w.at(fmt.Errorf("%v: an item is a number or a text", tok))
		}
		switch {
		case id == marker:
			marked = true
		case slices.Contains(w.items, id):
		case len(w.items) == w.opts.Decode.MaxItems || len(id) > decode.MaxID:
			w.long = true
		default:
			w.items = append(w.items, id)
		}
	}
}

// end makes sure that nothing follows the object.
func (w *walk) end() error {
	switch tok, err := w.dec.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return w.at(err)
	default:
		return w.at(fmt.Errorf("%v: something follows the object", tok))
	}
}

func (w *walk) expect(d json.Delim, want string) error {
	tok, err := w.token()
	if err == nil && tok != d {
		err = w.at(fmt.Errorf("%v: %s", tok, want))
	}
	return err
}

// token reads the next token; there must be one.
func (w *walk) token() (json.Token, error) {
	tok, err := w.dec.Token()
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("the file ends before its object does: %w", io.ErrUnexpectedEOF)
	}
	if err != nil {
		return nil, w.at(err)
	}
	return tok, nil
}

// at names the file and the byte of its text at which an error is met.
func (w *walk) at(err error) error {
	return w.fault(fmt.Errorf("byte %d: %w", w.skipped+w.dec.InputOffset(), err))
}
