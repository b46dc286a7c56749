package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// statusGone is the status, in metrics only, of a request whose client went
// away before the answer. The number is nginx's.
const statusGone = 499

// The codes of error answers. They are part of the API: openapi.yaml lists them.
const (
	codeInvalid    = "invalid_argument"
	codeNotFound   = "not_found"
	codeMethod     = "method_not_allowed"
	codeSlowBody   = "request_timeout"
	codeTooLarge   = "too_large"
	codeMediaType  = "unsupported_media_type"
	codeBusy       = "busy"
	codeTimeout    = "timeout"
	codeNotReady   = "not_ready"
	codeIncomplete = "incomplete"
	codeStopping   = "stopping"
	codeInternal   = "internal"
	codeGone       = "client_closed_request"
)

// fault is an answer other than the one asked for.
type fault struct {
	status     int
	code       string
	message    string // for the caller: what is wrong, the bound, no internals
	retryAfter int    // seconds; 0: no such header
	allow      string // methods, for 405
}

// Error is the message.
func (f *fault) Error() string { return f.message }

// invalid is a 400 that says what is wrong.
func invalid(format string, args ...any) *fault {
	return &fault{status: http.StatusBadRequest, code: codeInvalid, message: fmt.Sprintf(format, args...)}
}

// internal is a 500, which tells the caller nothing of the inside.
func internal() *fault {
	return &fault{status: http.StatusInternalServerError, code: codeInternal, message: "internal error; the server's log says which"}
}

// write sends the fault as JSON.
func (f *fault) write(w http.ResponseWriter) {
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	if f.allow != "" {
		w.Header().Set("Allow", f.allow)
	}
	body := append([]byte(`{"error":{"code":`), appendString(nil, f.code)...)
	body = append(body, `,"message":`...)
	body = appendString(body, f.message)
	writeJSON(w, f.status, append(body, '}', '}'))
}

// queryError is an error of the Query with what was asked for, so that the
// answer can name it and the log can leave it out.
type queryError struct {
	kind string   // customer, item, items, population, models
	ids  []string // of a customer or of items
	err  error
}

// subject names what was asked for.
func (e *queryError) subject() string {
	s := e.kind
	for i, id := range e.ids {
		if i > 0 {
			s += ","
		}
		s += " " + shown(id)
	}
	return s
}

// Error names the object.
func (e *queryError) Error() string { return e.subject() + ": " + e.err.Error() }

// Unwrap is the Query's error.
func (e *queryError) Unwrap() error { return e.err }

// faultOf decides what the caller hears of err. What it must not hear goes to
// the log, without the id that was asked for: it may be a person's.
func faultOf(ctx context.Context, log *slog.Logger, route string, err error) *fault {
	var f *fault
	var q *queryError
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, pipeline.ErrNotFound):
		message := pipeline.ErrNotFound.Error()
		if errors.As(err, &q) {
			message = q.subject() + ": " + message
		}
		return &fault{status: http.StatusNotFound, code: codeNotFound, message: message}
	case errors.Is(err, errBusy):
		return &fault{status: http.StatusTooManyRequests, code: codeBusy, message: err.Error() + "; try again later", retryAfter: 5}
	case errors.Is(context.Cause(ctx), errStopping):
		return &fault{status: http.StatusServiceUnavailable, code: codeStopping, message: errStopping.Error(), retryAfter: 5}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &fault{status: http.StatusServiceUnavailable, code: codeTimeout, retryAfter: 5,
			message: "the query took longer than the server's query_timeout; try again, or ask for less at once"}
	case ctx.Err() != nil:
		return &fault{status: statusGone, code: codeGone, message: "the client went away"}
	case errors.Is(err, pipeline.ErrNotReady):
		return &fault{status: http.StatusServiceUnavailable, code: codeNotReady, message: pipeline.ErrNotReady.Error(), retryAfter: 1}
	}
	log.Error("http: query failed", "route", route, "error", withoutID(err))
	return internal()
}

// withoutID is err's text with the id that was asked for left out.
func withoutID(err error) string {
	var q *queryError
	if !errors.As(err, &q) {
		return err.Error()
	}
	text := q.err.Error()
	for _, id := range q.ids {
		text = strings.ReplaceAll(text, id, "[id]")
	}
	return q.kind + ": " + text
}

// shown quotes an id for a message, and cuts a long one.
func shown(id string) string {
	const most = 64
	runes := 0
	for i := range id {
		if runes == most {
			return strconv.Quote(id[:i]) + "…"
		}
		runes++
	}
	return strconv.Quote(id)
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	return append(dst, b...)
}

// writeJSON sends a whole answer. An error of the write is the client's going
// away, which nobody is left to hear of.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	body = append(body, '\n')
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
