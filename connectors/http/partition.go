package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Auditor says what state an instance has, for whoever compares it with the
// changelog.
type Auditor interface {
	Stats() pipeline.Stats
	// Digest stands for one of some slices of a partition's committed state, as of
	// one instant. ErrNotFound: there is none here.
	Digest(ctx context.Context, partition int32, slice, slices int, entries bool) (*pipeline.Digest, error)
}

// maxSlices bounds how small a slice may be asked for.
const maxSlices = 65536

var errNoAuditor = &fault{status: http.StatusNotFound, code: codeNotFound, message: "this server has no state of its own"}

// partitionsDoc is the answer of GET /v1/partitions.
type partitionsDoc struct {
	Open      []openDoc      `json:"open"`
	Restoring []restoringDoc `json:"restoring"`
	Standby   []standbyDoc   `json:"standby"`
}

type openDoc struct {
	Partition  int32  `json:"partition"`
	NextOffset int64  `json:"next_offset"`
	Lag        int64  `json:"lag"`
	Clock      string `json:"clock,omitempty"`
}

type restoringDoc struct {
	Partition   int32   `json:"partition"`
	Records     int     `json:"records"`
	Done        float64 `json:"done"`
	SecondsLeft float64 `json:"seconds_left"`
}

type standbyDoc struct {
	Partition  int32  `json:"partition"`
	NextOffset int64  `json:"next_offset"`
	Clock      string `json:"clock,omitempty"`
}

// DigestDoc is the answer of GET /v1/partitions/{id}/digest.
type DigestDoc struct {
	Partition       int32      `json:"partition"`
	NextOffset      int64      `json:"next_offset"`
	NewestEvent     int64      `json:"newest_event"`     // Unix ms; 0: none
	Clock           int64      `json:"clock"`            // Unix ms; 0: none
	ChangelogOffset int64      `json:"changelog_offset"` // up to which the state has it
	Keys            int        `json:"keys"`
	Sum             string     `json:"sum"` // 16 hexadecimal digits
	Entries         []EntryDoc `json:"entries,omitempty"`
}

// EntryDoc is one key of the state.
type EntryDoc struct {
	Key  []byte `json:"key"`
	Hash string `json:"hash"` // 16 hexadecimal digits
}

func instantText(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

// partitions answers GET /v1/partitions.
func (s *Server) partitions(_ http.ResponseWriter, r *http.Request) ([]byte, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	if s.parts.Auditor == nil {
		return nil, errNoAuditor
	}
	stats := s.parts.Auditor.Stats()
	doc := partitionsDoc{Open: []openDoc{}, Restoring: []restoringDoc{}, Standby: []standbyDoc{}}
	for _, p := range stats.Partitions {
		doc.Open = append(doc.Open, openDoc{p.Partition, p.NextOffset, p.Lag, instantText(p.Clock)})
	}
	for _, p := range stats.Restoring {
		doc.Restoring = append(doc.Restoring, restoringDoc(p))
	}
	for _, p := range stats.Standby {
		doc.Standby = append(doc.Standby, standbyDoc{p.Partition, p.NextOffset, instantText(p.Clock)})
	}
	return json.Marshal(doc)
}

// digest answers GET /v1/partitions/{id}/digest. It reads the whole partition, so
// it waits for its turn with the queries for another instant.
func (s *Server) digest(_ http.ResponseWriter, r *http.Request) ([]byte, error) {
	id, err := pathID(r)
	if err != nil {
		return nil, err
	}
	partition, err := strconv.ParseInt(id, 10, 32)
	if err != nil || partition < 0 {
		return nil, invalid("id: %s is not a partition, a whole number from 0 on", shown(id))
	}
	values, err := params(r, "slice", "slices", "entries")
	if err != nil {
		return nil, err
	}
	slices, err := countParam(values, "slices", 1, maxSlices)
	if err != nil {
		return nil, err
	}
	slice := 0
	if values.Has("slice") {
		slice, err = strconv.Atoi(values.Get("slice"))
		if err != nil || slice < 0 || slice >= slices {
			return nil, invalid("slice: %s is not a whole number from 0 to %d", shown(values.Get("slice")), slices-1)
		}
	}
	entries := false
	if values.Has("entries") {
		if entries, err = strconv.ParseBool(values.Get("entries")); err != nil {
			return nil, invalid("entries: %s is neither true nor false", shown(values.Get("entries")))
		}
	}
	if s.parts.Auditor == nil {
		return nil, errNoAuditor
	}
	if err := s.scans.enter(r.Context()); err != nil {
		return nil, err
	}
	defer s.scans.leave()
	d, err := s.parts.Auditor.Digest(r.Context(), int32(partition), slice, slices, entries)
	if err != nil {
		return nil, &queryError{kind: "partition", ids: []string{id}, err: err}
	}
	return json.Marshal(digestDoc(int32(partition), d))
}

func digestDoc(partition int32, d *pipeline.Digest) *DigestDoc {
	doc := &DigestDoc{
		Partition: partition, NextOffset: d.Position.Next, NewestEvent: d.Position.MaxTime, Clock: d.Position.Clock,
		ChangelogOffset: d.Position.Changelog, Keys: d.Count, Sum: fmt.Sprintf("%016x", d.Sum),
	}
	for _, e := range d.Entries {
		doc.Entries = append(doc.Entries, EntryDoc{Key: e.Key, Hash: fmt.Sprintf("%016x", e.Hash)})
	}
	return doc
}
