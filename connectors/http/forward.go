package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// patience is how long another instance gets to answer, so that there is time
// left for the next one: http.forward_timeout, and where it reads many customers,
// half of what the query has left.
func (s *Server) patience(ctx context.Context, slow bool) time.Duration {
	left := s.cfg.QueryTimeout
	if end, ok := ctx.Deadline(); ok {
		left = time.Until(end)
	}
	if slow {
		return left / 2
	}
	return min(left/2, s.cfg.ForwardTimeout)
}

// putOne asks another instance for the one customer of r by r's own path.
func (s *Server) putOne(r *http.Request, asOf int64) putFunc {
	return func(ctx context.Context, m Member, _ []string, copies bool) (*answers, error) {
		a := &answers{docs: make([][]byte, 1)}
		return a, s.peers.ask(ctx, m, &question{
			method: http.MethodGet, target: r.URL, copies: copies, most: maxDocument,
			slow: asOf != 0, timeout: s.patience(ctx, asOf != 0),
			read: func(r *reply) (string, error) {
				if r.status == http.StatusOK {
					a.docs[0] = bytes.TrimSuffix(r.body, []byte("\n"))
				}
				err := a.readHeader(r.header)
				return a.outcome(), err
			},
		})
	}
}

// putMany asks another instance for some of a batch's customers.
func (s *Server) putMany(asOf int64) putFunc {
	return func(ctx context.Context, m Member, ids []string, copies bool) (*answers, error) {
		a := &answers{}
		return a, s.peers.ask(ctx, m, &question{
			method: http.MethodPost, target: &url.URL{Path: batchPath}, body: batchBody(ids, asOf), copies: copies, most: maxList,
			slow: asOf != 0, timeout: s.patience(ctx, asOf != 0),
			read: func(r *reply) (outcome string, err error) {
				if a.docs, err = batchDocs(r, ids); err == nil {
					err = a.readHeader(r.header)
				}
				return a.outcome(), err
			},
		})
	}
}

// readHeader takes in what an answer's header says of it.
func (a *answers) readHeader(h http.Header) (err error) {
	if a.held, a.known, err = toldPartitions(h); err != nil {
		return err
	}
	a.age, a.copied, err = toldAge(h)
	return err
}

// batchBody is a batchGet's body.
func batchBody(ids []string, asOf int64) []byte {
	var wire struct {
		IDs  []string `json:"ids"`
		AsOf int64    `json:"as_of,omitempty"`
	}
	wire.IDs, wire.AsOf = ids, asOf
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // no longer than the caller's
	if err := e.Encode(wire); err != nil {
		panic(err) // strings and a number always have a JSON form
	}
	return b.Bytes()
}

// batchDocs takes the documents out of a batchGet's answer, as their bytes are:
// those that are found stand in the order asked for.
func batchDocs(r *reply, ids []string) ([][]byte, error) {
	var wire struct {
		Customers []json.RawMessage `json:"customers"`
		NotFound  []string          `json:"not_found"`
	}
	if r.status != http.StatusOK {
		return nil, fmt.Errorf("status %d", r.status)
	}
	if err := json.Unmarshal(r.body, &wire); err != nil {
		return nil, err
	}
	missing := make(map[string]bool, len(wire.NotFound))
	for _, id := range wire.NotFound {
		missing[id] = true
	}
	docs, rest := make([][]byte, len(ids)), wire.Customers
	for i, id := range ids {
		if missing[id] {
			continue
		}
		if len(rest) == 0 {
			return nil, fmt.Errorf("%d customers are neither there nor missing", len(ids)-i)
		}
		docs[i], rest = rest[0], rest[1:]
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%d customers more than asked for", len(rest))
	}
	return docs, nil
}
