package api

import (
	"net/http"
	"slices"

	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

// affinities answers GET /v1/items/{id}/affinities.
func (s *Server) affinities(_ http.ResponseWriter, r *http.Request) ([]byte, error) {
	id, err := pathID(r)
	if err != nil {
		return nil, err
	}
	values, err := params(r, "kind", "k")
	if err != nil {
		return nil, err
	}
	kind := score.SameOrder
	if values.Has("kind") {
		kind = values.Get("kind")
	}
	if err := checkKind(kind); err != nil {
		return nil, err
	}
	k, err := countParam(values, "k", defaultK, maxK)
	if err != nil {
		return nil, err
	}
	list, err := s.parts.Query.Affinities(r.Context(), id, kind, k)
	if err != nil {
		return nil, &queryError{kind: "item", ids: []string{id}, err: err}
	}
	return s.parts.Encoder.AppendNeighbours(nil, id, kind, list), nil
}

// maxSet bounds the items of one set: a cart, not a catalogue.
const maxSet = 64

// setForm is what the body of a question about a set looks like.
func setForm() form {
	return form{example: `{"items":["A","B"]}`, fields: map[string]string{
		"items": "a list of strings", "kind": "a string", "k": "a whole number",
	}}
}

// set is the body of a question about a set of items, checked.
type set struct {
	items []string // distinct, in the caller's order
	kind  string
	k     int
}

// together answers POST /v1/affinities: what goes best with the items that are
// known, and the others by name. A set of which nothing is known is a 404.
func (s *Server) together(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	body, err := s.readBody(w, r)
	if err != nil {
		return nil, err
	}
	q, err := parseSet(body)
	if err != nil {
		return nil, err
	}
	offers, unknown, err := s.parts.Query.Together(r.Context(), q.items, q.kind, q.k)
	if err != nil {
		return nil, &queryError{kind: "items", ids: q.items, err: err}
	}
	if len(unknown) == len(q.items) {
		return nil, &queryError{kind: "items", ids: unknown, err: pipeline.ErrNotFound}
	}
	known := slices.DeleteFunc(q.items, func(id string) bool { return slices.Contains(unknown, id) })
	return s.parts.Encoder.AppendTogether(nil, known, unknown, q.kind, offers), nil
}

func parseSet(body []byte) (set, error) {
	var wire struct {
		Items []string `json:"items"`
		Kind  *string  `json:"kind"`
		K     *int     `json:"k"`
	}
	if err := decodeStrictly(body, &wire, setForm()); err != nil {
		return set{}, err
	}
	if len(wire.Items) == 0 || len(wire.Items) > maxSet {
		return set{}, invalid("items: holds %d, want 1 to %d", len(wire.Items), maxSet)
	}
	items, err := distinct("items", wire.Items)
	if err != nil {
		return set{}, err
	}
	q := set{items: items, kind: score.SameOrder, k: defaultK}
	if wire.Kind != nil {
		q.kind = *wire.Kind
	}
	if err := checkKind(q.kind); err != nil {
		return set{}, err
	}
	if wire.K != nil {
		q.k = *wire.K
	}
	if q.k < 1 || q.k > maxK {
		return set{}, invalid("k: %d is not a whole number from 1 to %d", q.k, maxK)
	}
	return q, nil
}
