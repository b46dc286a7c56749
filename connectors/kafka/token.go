package kafka

import (
	"bytes"
	"crypto/rand"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// tokenHeader is of a changelog record that was written outside a transaction; its
// value is the token of the session that wrote it.
const tokenHeader = "t"

// newToken is a name that no other session has.
func newToken() []byte {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return b
}

// tokenOf is the token of a record that was written outside a transaction, nil if it
// has none.
func tokenOf(r *kgo.Record) []byte {
	for _, h := range r.Headers {
		if h.Key == tokenHeader {
			return h.Value
		}
	}
	return nil
}

// tokened is what a replay knows of a log that sessions write without transactions.
//
// A barrier says whose records count from there on: those of the session that wrote
// it. Another's that come behind it are stale: who wrote them did not know that it
// had lost the partition, and its successor has taken in what is before the
// barrier, and no more. Before the first barrier that is met, whose records count is
// not known, so all do.
type tokened struct {
	owner []byte // nil: not known
	batch []*kgo.Record
	stale map[int64]bool // offsets, of batch
}

// announced notes a barrier, and returns what its predecessor has left unfinished,
// which counts.
func (t *tokened) announced(token []byte) (left []*kgo.Record) {
	if len(token) == 0 { // whoever wrote it takes nothing over
		return nil
	}
	t.owner = bytes.Clone(token)
	return t.unfinished()
}

// unfinished returns what no commit record has completed.
func (t *tokened) unfinished() []*kgo.Record {
	left := t.batch
	t.batch = nil
	return left
}

// add takes in a record, and returns what it completes if it is a commit record.
func (t *tokened) add(r *kgo.Record, token []byte) []*kgo.Record {
	t.batch = append(t.batch, r)
	if t.owner != nil && !bytes.Equal(token, t.owner) {
		if t.stale == nil {
			t.stale = map[int64]bool{}
		}
		t.stale[r.Offset] = true
		return nil
	}
	if !pipeline.IsCommit(r.Key) {
		return nil
	}
	return t.unfinished()
}

// takeStale says, once, whether the record at an offset is stale.
func (t *tokened) takeStale(offset int64) bool {
	is := t.stale[offset]
	delete(t.stale, offset)
	return is
}

// before looks at the record that lies before those that are replayed.
func (t *tokened) before(r *kgo.Record) {
	switch {
	case bytes.Equal(r.Key, barrierKey):
		_ = t.announced(r.Value)
	case !r.Attrs.IsControl() && !r.Attrs.IsTransactional() && pipeline.IsCommit(r.Key):
		_ = t.announced(tokenOf(r))
	}
	r.Recycle()
}
