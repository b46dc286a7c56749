package api

import (
	"encoding/json"
	"net/http"
)

// batchPath is where batchGet is.
const batchPath = "/v1/customers:batchGet"

// maxBatch bounds the customers of one batchGet.
const maxBatch = 1000

// batchForm is what a batchGet's body looks like.
func batchForm() form {
	return form{example: `{"ids":["c-1"]}`, fields: map[string]string{"ids": "a list of strings"}}
}

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
	docs, err := s.customers(w, r, b.ids, b.asOf, s.putMany(b.asOf))
	if err != nil {
		return nil, err
	}
	return appendBatch(b.ids, docs), nil
}

// appendBatch writes the documents that there are, in the order of the ids.
func appendBatch(ids []string, docs [][]byte) []byte {
	out := []byte(`{"customers":[`)
	missing := []byte{'['}
	found := 0
	for i, doc := range docs {
		if doc == nil {
			if len(missing) > 1 {
				missing = append(missing, ',')
			}
			missing = appendString(missing, ids[i])
			continue
		}
		if found > 0 {
			out = append(out, ',')
		}
		out = append(out, doc...)
		found++
	}
	out = append(out, `],"not_found":`...)
	return append(append(out, missing...), ']', '}')
}

// parseBatch reads the body strictly: unknown fields are misspelt ones.
func parseBatch(body []byte) (batch, error) {
	var wire struct {
		IDs  []string        `json:"ids"`
		AsOf json.RawMessage `json:"as_of"`
	}
	if err := decodeStrictly(body, &wire, batchForm()); err != nil {
		return batch{}, err
	}
	if len(wire.IDs) == 0 || len(wire.IDs) > maxBatch {
		return batch{}, invalid("ids: holds %d, want 1 to %d", len(wire.IDs), maxBatch)
	}
	ids, err := distinct("ids", wire.IDs)
	if err != nil {
		return batch{}, err
	}
	b := batch{ids: ids}
	if raw := string(wire.AsOf); raw != "" && raw != "null" {
		text := raw
		if raw[0] == '"' {
			_ = json.Unmarshal(wire.AsOf, &text) // the decoder has checked it
		}
		b.asOf, err = parseInstant(text)
	}
	return b, err
}
