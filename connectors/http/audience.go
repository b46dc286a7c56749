package api

import (
	"context"
	"net/http"
)

// audience answers GET /v1/items/{id}/audience: of the customers of all
// instances, each of which knows its own.
func (s *Server) audience(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	id, err := pathID(r)
	if err != nil {
		return nil, err
	}
	values, err := params(r, "limit")
	if err != nil {
		return nil, err
	}
	limit, err := countParam(values, "limit", defaultLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	if s.forwards(r) {
		return s.wholeAudience(w, r, id, limit)
	}
	if s.parts.Cluster != nil {
		tellInstances(w.Header(), s.parts.Cluster.Self())
	}
	part, err := s.ownAudience(r.Context(), id, limit)
	if part.known && r.Header.Get(headerForwarded) != "" {
		tellPartitions(w.Header(), part.held) // of an unknown item too
	}
	return part.body, err
}

// audiencePart is what one instance says of an item's audience.
type audiencePart struct {
	body  []byte  // nil: it does not know the item
	held  []int32 // as of answers
	known bool
}

// ownAudience asks this instance alone. It reads many customers, so it waits for
// its turn with the queries for another instant.
func (s *Server) ownAudience(ctx context.Context, item string, limit int) (part audiencePart, err error) {
	if err := s.scans.enter(ctx); err != nil {
		return part, err
	}
	defer s.scans.leave()
	before := s.held()
	targets, err := s.parts.Query.Audience(ctx, item, limit)
	if s.parts.Holder != nil {
		part.held, part.known = both(before, s.held()), true
	}
	if err != nil {
		return part, &queryError{kind: "item", ids: []string{item}, err: err}
	}
	part.body = s.parts.Encoder.AppendAudience(nil, item, targets)
	return part, nil
}
