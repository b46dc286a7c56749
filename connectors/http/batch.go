package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// maxBatch bounds the customers of one batchGet.
const maxBatch = 1000

// batch is the body of a batchGet, checked.
type batch struct {
	ids  []string // distinct, in the caller's order
	asOf int64
}

// batchGet answers POST /v1/customers:batchGet: the documents of those that
// are known, in the order asked for, and the ids of the others.
func (s *Server) batchGet(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	body, err := s.readBody(w, r)
	if err != nil {
		return nil, err
	}
	b, err := parseBatch(body)
	if err != nil {
		return nil, err
	}
	leave, err := s.enterScan(r, b.asOf)
	if err != nil {
		return nil, err
	}
	defer leave()
	return s.appendBatch(r, b)
}

func (s *Server) appendBatch(r *http.Request, b batch) ([]byte, error) {
	out := []byte(`{"customers":[`)
	missing := []byte{'['}
	found := 0
	for _, id := range b.ids {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		doc, err := s.parts.Query.Customer(r.Context(), id, b.asOf)
		switch {
		case errors.Is(err, pipeline.ErrNotFound):
			if len(missing) > 1 {
				missing = append(missing, ',')
			}
			missing = appendString(missing, id)
		case err != nil:
			return nil, &queryError{kind: "customer", id: id, err: err}
		default:
			if found > 0 {
				out = append(out, ',')
			}
			out = s.parts.Encoder.AppendScores(out, doc)
			found++
		}
	}
	out = append(out, `],"not_found":`...)
	return append(append(out, missing...), ']', '}'), nil
}

// readBody reads a JSON body within the bound.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return nil, &fault{status: http.StatusUnsupportedMediaType, code: codeMediaType,
			message: "the body must be JSON, with the header Content-Type: application/json"}
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, &fault{status: http.StatusUnsupportedMediaType, code: codeMediaType,
			message: "the body must not be compressed"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.cfg.MaxBodyBytes))
	var large *http.MaxBytesError
	var timeout net.Error
	switch {
	case errors.As(err, &large):
		return nil, &fault{status: http.StatusRequestEntityTooLarge, code: codeTooLarge,
			message: fmt.Sprintf("the body is larger than %d bytes", s.cfg.MaxBodyBytes)}
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, &fault{status: http.StatusRequestTimeout, code: codeSlowBody,
			message: fmt.Sprintf("the body did not arrive within %s", s.cfg.ReadTimeout)}
	case err != nil:
		return nil, invalid("body: ends before its Content-Length, or is not well framed")
	}
	return body, nil
}

// parseBatch reads the body strictly: unknown fields are misspelt ones.
func parseBatch(body []byte) (batch, error) {
	if !utf8.Valid(body) {
		return batch{}, invalid("body: is not UTF-8")
	}
	var wire struct {
		IDs  []string        `json:"ids"`
		AsOf json.RawMessage `json:"as_of"`
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&wire); err != nil {
		return batch{}, badJSON(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return batch{}, invalid("body: something follows the JSON object")
	}
	if len(wire.IDs) == 0 || len(wire.IDs) > maxBatch {
		return batch{}, invalid("ids: holds %d, want 1 to %d", len(wire.IDs), maxBatch)
	}
	b := batch{}
	seen := make(map[string]bool, len(wire.IDs))
	for i, id := range wire.IDs {
		if id == "" {
			return batch{}, invalid("ids[%d]: is empty", i)
		}
		if !seen[id] {
			seen[id] = true
			b.ids = append(b.ids, id)
		}
	}
	var err error
	if raw := string(wire.AsOf); raw != "" && raw != "null" {
		text := raw
		if raw[0] == '"' {
			_ = json.Unmarshal(wire.AsOf, &text) // the decoder has checked it
		}
		b.asOf, err = parseInstant(text)
	}
	return b, err
}

// badJSON says in this API's words what encoding/json found.
func badJSON(err error) *fault {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field == "":
		return invalid(`body: is a JSON %s, want an object such as {"ids":["c-1"]}`, wrong.Value)
	case errors.As(err, &wrong):
		return invalid("%s: is a JSON %s, want a list of strings", wrong.Field, wrong.Value)
	case errors.As(err, &syntax):
		return invalid("body: is not JSON from byte %d on", syntax.Offset)
	case errors.Is(err, io.EOF):
		return invalid(`body: is empty, want an object such as {"ids":["c-1"]}`)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return invalid("body: ends within the JSON object")
	}
	return invalid("body: %s", strings.TrimPrefix(err.Error(), "json: "))
}
