package api

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"time"
)

// observed tells the observer of each request, and turns a panic into a 500
// where nothing was sent yet, so that one bad document does not take the
// connection, nor the process, with it.
func (s *Server) observed(label string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		rec := &recorder{ResponseWriter: w}
		defer func() {
			p := recover()
			abort := p == http.ErrAbortHandler || p != nil && rec.status != 0
			if p != nil && p != http.ErrAbortHandler {
				s.log.Error("http: a handler panicked", "route", label, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			}
			if p != nil && !abort {
				internal().write(rec)
			}
			if s.parts.Observer != nil {
				s.parts.Observer.ObserveRequest(label, rec.code(), time.Since(began))
			}
			if abort {
				panic(http.ErrAbortHandler)
			}
		}()
		h.ServeHTTP(rec, r)
	})
}

// recorder remembers the status that was sent.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// code is the status that the client saw.
func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}
