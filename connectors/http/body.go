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
)

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

// form is what an endpoint's body looks like, for the messages.
type form struct {
	example string
	fields  map[string]string // what is wanted of a field
}

// decodeStrictly reads a JSON object into what v points to: unknown fields are
// misspelt ones.
func decodeStrictly(body []byte, v any, f form) error {
	if !utf8.Valid(body) {
		return invalid("body: is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return badJSON(err, f)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return invalid("body: something follows the JSON object")
	}
	return nil
}

// badJSON says in this API's words what encoding/json found.
func badJSON(err error, f form) *fault {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field == "":
		return invalid("body: is a JSON %s, want an object such as %s", wrong.Value, f.example)
	case errors.As(err, &wrong):
		return invalid("%s: is a JSON %s, want %s", wrong.Field, wrong.Value, f.fields[wrong.Field])
	case errors.As(err, &syntax):
		return invalid("body: is not JSON from byte %d on", syntax.Offset)
	case errors.Is(err, io.EOF):
		return invalid("body: is empty, want an object such as %s", f.example)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return invalid("body: ends within the JSON object")
	}
	return invalid("body: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// distinct are the ids of a field without repetitions, in the caller's order.
func distinct(field string, ids []string) ([]string, error) {
	var once []string
	seen := make(map[string]bool, len(ids))
	for i, id := range ids {
		if id == "" {
			return nil, invalid("%s[%d]: is empty", field, i)
		}
		if !seen[id] {
			seen[id] = true
			once = append(once, id)
		}
	}
	return once, nil
}
