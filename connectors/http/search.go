package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// search looks for customers on all instances: first here, then with those that
// probably have them, then with all others side by side, and at last in the
// copies of partitions that nobody has answered for. It ends with the first
// round after which every customer is known. One goroutine uses it.
type search struct {
	*canvass
	server *Server
	ids    []string
	asOf   int64
	put    putFunc

	found   map[string][]byte
	guessed map[string]string // the instance that probably has a customer
	by      []string          // who knew some
	copied  bool
	age     time.Duration // of the oldest copy
}

// putFunc asks another instance for some of the customers. copies: its copies may
// answer. The error is a *silence, or that of ctx.
type putFunc func(ctx context.Context, m Member, ids []string, copies bool) (*answers, error)

// request is what an instance is asked.
type request struct {
	member Member
	ids    []string
	copies bool
}

// response is what came of it.
type response struct {
	request
	answers *answers
	err     error
}

// run returns the customers' documents, nil for those that are nowhere, and tells
// in h who answered. Where some may be where nobody looked, the error is a 503.
func (q *search) run(ctx context.Context, h http.Header) ([][]byte, error) {
	q.found, q.guessed = make(map[string][]byte, len(q.ids)), map[string]string{}
	self := Member{Instance: q.cluster.Self()}
	tellInstances(h, self.Instance)
	rounds := []func() []request{
		func() []request { return []request{{member: self, ids: q.ids}} },
		q.probable, q.others, q.standbys,
	}
	for _, round := range rounds {
		if err := q.round(ctx, round()); err != nil {
			return nil, err
		}
		if len(q.missing()) == 0 {
			break
		}
	}
	if missing := q.missing(); len(missing) > 0 {
		if err := q.verdict(perhaps(missing)); err != nil {
			return nil, err
		}
	}
	if len(q.by) > 0 {
		tellInstances(h, q.by...)
	}
	if q.copied {
		tellAge(h, q.age)
	}
	docs := make([][]byte, len(q.ids))
	for i, id := range q.ids {
		docs[i] = q.found[id]
	}
	return docs, nil
}

// perhaps begins the message about customers that nobody knew.
func perhaps(missing []string) string {
	if len(missing) == 1 {
		return "customer " + shown(missing[0]) + ": no instance that answered knows it, but it may be"
	}
	return fmt.Sprintf("%d customers, the first of them %s: no instance that answered knows them, but they may be", len(missing), shown(missing[0]))
}

// missing are the customers that nobody knew so far, in the caller's order.
func (q *search) missing() []string {
	var ids []string
	for _, id := range q.ids {
		if q.found[id] == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// probable asks for each customer the owner of the partition that Kafka's own
// producers would have put it into.
func (q *search) probable() []request {
	n, self := q.cluster.Partitions(), q.cluster.Self()
	if n < 1 {
		return nil
	}
	var out []request
	for _, id := range q.missing() {
		m, ok := q.cluster.Owner(guess(id, n))
		if !ok || m.Instance == self {
			continue
		}
		q.guessed[id] = m.Instance
		i := slices.IndexFunc(out, func(r request) bool { return r.member.Instance == m.Instance })
		if i < 0 {
			i, out = len(out), append(out, request{member: m})
		}
		out[i].ids = append(out[i].ids, id)
	}
	return out
}

// others asks every other instance for what it was not asked for yet.
func (q *search) others() []request {
	missing := q.missing()
	var out []request
	for _, m := range q.members {
		if m.Instance == q.cluster.Self() || q.silent[m.Instance] != "" {
			continue
		}
		r := request{member: m}
		for _, id := range missing {
			if q.guessed[id] != m.Instance {
				r.ids = append(r.ids, id)
			}
		}
		if len(r.ids) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// standbys asks those that follow the partitions that nobody has answered for.
// A copy knows the present alone.
func (q *search) standbys() []request {
	if q.asOf != 0 {
		return nil
	}
	missing := q.missing()
	var out []request
	for _, p := range q.open() {
		m, ok := q.cluster.Standby(p)
		asked := slices.ContainsFunc(out, func(r request) bool { return r.member.Instance == m.Instance })
		unheard := m.Instance != q.cluster.Self() && q.silent[m.Instance] != ""
		if ok && !asked && !unheard {
			out = append(out, request{member: m, ids: missing, copies: true})
		}
	}
	return out
}

// round asks some instances side by side. It goes on when every customer is
// known, without waiting for the others. The error is this instance's own, or
// that of ctx.
func (q *search) round(ctx context.Context, asks []request) error {
	within, done := context.WithCancel(ctx)
	defer done()
	responses := make(chan response, len(asks))
	isSelf := func(r request) bool { return r.member.Instance == q.cluster.Self() }
	for _, r := range asks {
		if !isSelf(r) {
			go func() {
				a, err := q.put(within, r.member, r.ids, r.copies)
				responses <- response{r, a, err}
			}()
		}
	}
	// This instance in this goroutine, so that a panic of the engine is the request's.
	if i := slices.IndexFunc(asks, isSelf); i >= 0 {
		a, err := q.server.own(within, asks[i].ids, q.asOf, asks[i].copies, true)
		responses <- response{asks[i], a, err}
	}
	var fault error
	for range asks { // none is left behind
		r := <-responses
		if within.Err() == nil {
			fault = q.take(&r)
		}
		if fault != nil || len(q.missing()) == 0 {
			done()
		}
	}
	return errors.Join(fault, ctx.Err())
}

// take notes what an instance has answered.
func (q *search) take(r *response) error {
	instance := r.member.Instance
	var silent *silence
	switch {
	case errors.As(r.err, &silent):
		q.missed(instance, silent.why)
		return nil
	case errors.Is(r.err, pipeline.ErrNotReady) && !q.alone():
		q.missed(instance, whyNotReady)
		return nil
	case r.err != nil:
		return r.err
	}
	q.heard(instance, r.answers.held, r.answers.known)
	if r.answers.partly {
		q.missed(instance, whyNotReady)
	}
	news := false
	for i, id := range r.ids {
		if doc := r.answers.docs[i]; doc != nil && q.found[id] == nil {
			q.found[id], news = doc, true
		}
	}
	if !news {
		return nil
	}
	if !slices.Contains(q.by, instance) {
		q.by = append(q.by, instance)
	}
	if r.answers.copied {
		q.copied, q.age = true, max(q.age, r.answers.age)
	}
	return nil
}
