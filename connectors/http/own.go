package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

// answers are what one instance knows of some customers.
type answers struct {
	docs   [][]byte // in the order of the ids asked for; nil: not known there
	held   []int32  // the partitions that it looked in
	known  bool     // whether it said which those are
	copied bool     // some are from copies
	age    time.Duration
	// partly: some of those that are not known there may be in partitions that it
	// restores. They are not in held.
	partly bool
}

// outcome is what the metrics say of answers.
func (a *answers) outcome() string {
	for _, doc := range a.docs {
		switch {
		case doc != nil && a.copied:
			return outcomeCopy
		case doc != nil:
			return outcomeFound
		}
	}
	return outcomeNotFound
}

// own asks this instance alone. A query for another instant waits for its turn.
// partly: of several customers, it may tell those that it can while others'
// partitions are being restored.
func (s *Server) own(ctx context.Context, ids []string, asOf int64, copies, partly bool) (*answers, error) {
	leave, err := s.enterScan(ctx, asOf)
	if err != nil {
		return nil, err
	}
	defer leave()
	a := &answers{docs: make([][]byte, len(ids))}
	partly = partly && len(ids) > 1 && s.parts.Holder != nil
	before := s.held()
	for i, id := range ids {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		doc, err := s.parts.Query.Customer(ctx, id, asOf)
		if err != nil && copies && unknownHere(err) && asOf == 0 {
			doc, err = s.copied(ctx, id, a, err)
		}
		switch {
		case errors.Is(err, pipeline.ErrNotFound):
		case errors.Is(err, pipeline.ErrNotReady) && partly:
			a.partly = true
		case err != nil:
			return nil, &queryError{kind: "customer", ids: []string{id}, err: err}
		default:
			a.docs[i] = s.parts.Encoder.AppendScores(nil, doc)
		}
	}
	if a.partly && a.outcome() == outcomeNotFound {
		return nil, &queryError{kind: "customers", err: pipeline.ErrNotReady} // it knows nothing yet
	}
	if s.parts.Holder != nil { // it looked in no partition that came or went meanwhile
		a.held, a.known = both(before, s.held()), true
	}
	return a, nil
}

// copied looks for a customer in the copies, and remembers the oldest of them.
// otherwise is the error where none has it.
func (s *Server) copied(ctx context.Context, id string, a *answers, otherwise error) (*score.Scores, error) {
	if s.parts.Copies == nil {
		return nil, otherwise
	}
	doc, age, err := s.parts.Copies.Copy(ctx, id)
	switch {
	case err == nil:
		a.copied, a.age = true, max(a.age, age)
	case unknownHere(err):
		err = otherwise
	}
	return doc, err
}

// unknownHere says of a Query's error that the customer may be elsewhere.
func unknownHere(err error) bool {
	return errors.Is(err, pipeline.ErrNotFound) || errors.Is(err, pipeline.ErrNotReady)
}

// held are the partitions that this instance answers for, where it knows.
func (s *Server) held() []int32 {
	if s.parts.Holder == nil {
		return nil
	}
	return s.parts.Holder.Held()
}

// forwards says whether a request may be put to other instances too. One that
// came from another is not, so that none goes round in a circle.
func (s *Server) forwards(r *http.Request) bool {
	return s.parts.Cluster != nil && s.cfg.Forward && r.Header.Get(headerForwarded) == ""
}

// customers are the documents of some customers in the order of ids, nil where
// nobody knows one, from all instances or, where the request is not put to
// others, from this one. put puts it to another.
func (s *Server) customers(w http.ResponseWriter, r *http.Request, ids []string, asOf int64, put putFunc) ([][]byte, error) {
	if s.forwards(r) {
		q := &search{canvass: newCanvass(s.parts.Cluster), server: s, ids: ids, asOf: asOf, put: put}
		return q.run(r.Context(), w.Header())
	}
	if s.parts.Cluster != nil {
		tellInstances(w.Header(), s.parts.Cluster.Self()) // of errors too
	}
	forwarded := r.Header.Get(headerForwarded)
	a, err := s.own(r.Context(), ids, asOf, forwarded == forwardedCopies, s.parts.Cluster != nil && forwarded != "")
	if err != nil {
		return nil, err
	}
	if a.known && forwarded != "" {
		tellPartitions(w.Header(), a.held)
	}
	if a.copied {
		tellAge(w.Header(), a.age)
	}
	return a.docs, nil
}
