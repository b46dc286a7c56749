package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// gathering collects an item's audience from all instances. One goroutine uses it.
type gathering struct {
	*canvass
	parts [][]byte // their answers' bodies
	by    []string // whose they are
}

// audienceAnswer is what came of asking an instance.
type audienceAnswer struct {
	instance string
	part     audiencePart
	err      error
}

// wholeAudience asks all instances side by side and merges what they say. One
// that does not answer makes it a 503: its customers would be left out in silence.
func (s *Server) wholeAudience(w http.ResponseWriter, r *http.Request, item string, limit int) ([]byte, error) {
	g := &gathering{canvass: newCanvass(s.parts.Cluster)}
	tellInstances(w.Header(), g.cluster.Self())
	if err := g.ask(s, r, item, limit); err != nil {
		return nil, err
	}
	if err := g.verdict("item " + shown(item) + ": some of its audience may be"); err != nil {
		return nil, err
	}
	if len(g.parts) == 0 {
		return nil, &queryError{kind: "item", ids: []string{item}, err: pipeline.ErrNotFound}
	}
	slices.Sort(g.by)
	tellInstances(w.Header(), g.by...)
	return mergeAudiences(g.parts, limit)
}

// ask asks all. The error is this instance's own, or that of r's context.
func (g *gathering) ask(s *Server, r *http.Request, item string, limit int) error {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	self := g.cluster.Self()
	others := slices.DeleteFunc(slices.Clone(g.members), func(m Member) bool { return m.Instance == self })
	answers := make(chan audienceAnswer, len(others)+1)
	for _, m := range others {
		go func() {
			part, err := s.putAudience(ctx, r, m)
			answers <- audienceAnswer{m.Instance, part, err}
		}()
	}
	// This instance in this goroutine, so that a panic of the engine is the request's.
	part, err := s.ownAudience(ctx, item, limit)
	answers <- audienceAnswer{self, part, err}
	var fault error
	for range cap(answers) { // none is left behind
		a := <-answers
		if fault == nil {
			fault = g.take(&a)
		}
		if fault != nil {
			cancel()
		}
	}
	return fault
}

// take notes what an instance has answered.
func (g *gathering) take(a *audienceAnswer) error {
	var silent *silence
	switch {
	case errors.As(a.err, &silent):
		g.missed(a.instance, silent.why)
		return nil
	case errors.Is(a.err, pipeline.ErrNotReady) && !g.alone():
		g.missed(a.instance, whyNotReady)
		return nil
	case a.err != nil && !errors.Is(a.err, pipeline.ErrNotFound):
		return a.err
	}
	g.heard(a.instance, a.part.held, a.part.known)
	if a.part.body != nil {
		g.parts, g.by = append(g.parts, a.part.body), append(g.by, a.instance)
	}
	return nil
}

// putAudience asks another instance by r's own path and limit.
func (s *Server) putAudience(ctx context.Context, r *http.Request, m Member) (part audiencePart, err error) {
	err = s.peers.ask(ctx, m, &question{
		method: http.MethodGet, target: r.URL, most: maxList, slow: true, timeout: s.patience(ctx, true),
		read: func(r *reply) (outcome string, err error) {
			if part.held, part.known, err = toldPartitions(r.header); err != nil || r.status == http.StatusNotFound {
				return outcomeNotFound, err
			}
			part.body = r.body
			_, _, err = parseAudience(r.body)
			return outcomeFound, err
		},
	})
	return part, err
}

// reached is a customer of an audience: its bytes, and what it is ranked by.
type reached struct {
	raw   json.RawMessage
	id    string
	score float64
}

func parseAudience(body []byte) (item json.RawMessage, all []reached, err error) {
	var wire struct {
		ItemID   json.RawMessage   `json:"item_id"`
		Audience []json.RawMessage `json:"audience"`
	}
	if err := json.Unmarshal(body, &wire); err != nil {
		return nil, nil, err
	}
	for _, raw := range wire.Audience {
		var rank struct {
			ID    string  `json:"customer_id"`
			Score float64 `json:"score"`
		}
		if err := json.Unmarshal(raw, &rank); err != nil {
			return nil, nil, err
		}
		all = append(all, reached{raw, rank.ID, rank.Score})
	}
	return wire.ItemID, all, nil
}

// mergeAudiences is the best of what several instances say of one item, each
// customer's bytes as they came. One that is just being handed over may be told
// of twice.
func mergeAudiences(parts [][]byte, limit int) ([]byte, error) {
	var item json.RawMessage
	var all []reached
	for _, body := range parts {
		id, some, err := parseAudience(body)
		if err != nil {
			return nil, err
		}
		item, all = id, append(all, some...)
	}
	slices.SortFunc(all, func(a, b reached) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id))
	})
	out := append(append([]byte(`{"item_id":`), item...), `,"audience":[`...)
	told := make(map[string]bool, limit)
	for _, t := range all {
		if told[t.id] || len(told) == limit {
			continue
		}
		if len(told) > 0 {
			out = append(out, ',')
		}
		told[t.id] = true
		out = append(out, t.raw...)
	}
	return append(out, ']', '}'), nil
}
