package pipeline

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// testLog is a shared log in memory, and its latest snapshot.
type testLog struct {
	mu    sync.Mutex
	recs  [][]SharedRecord // by partition
	at    map[int32]int64  // of the snapshot
	parts [][]byte
	saves int
	fails int // every so many-th Save; 0: none
}

func newTestLog(partitions int) *testLog { return &testLog{recs: make([][]SharedRecord, partitions)} }

// add takes an output that was committed.
func (l *testLog) add(o Output) {
	l.mu.Lock()
	defer l.mu.Unlock()
	recs := &l.recs[o.Partition]
	*recs = append(*recs, SharedRecord{o.Partition, int64(len(*recs)), bytes.Clone(o.Value)})
}

// commit ends a transaction of a core, whose changelog is not kept.
func (l *testLog) commit(t *testing.T, c *Core) {
	t.Helper()
	require.NoError(t, c.commit(func() (map[int32]int64, error) {
		c.eachOutput(func(outs []Output) {
			for _, o := range outs {
				if o.To == Pairs {
					l.add(o)
				}
			}
		})
		return nil, nil
	}))
	hear(t, c)
}

// hear takes in all that is on the log.
func hear(t *testing.T, c *Core) {
	t.Helper()
	require.NoError(t, c.pull())
	c.mu.Lock()
	c.publish()
	c.mu.Unlock()
}

func (l *testLog) reader() *logReader { return &logReader{log: l} }

// logReader is one process's view of the log.
type logReader struct {
	log *testLog
	at  map[int32]int64
}

func (r *logReader) Load(_ context.Context, fn func([]byte) error) (map[int32]int64, error) {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	r.at = map[int32]int64{}
	for p := range r.log.recs {
		r.at[int32(p)] = r.log.at[int32(p)]
	}
	for _, part := range r.log.parts {
		if err := fn(part); err != nil {
			return nil, err
		}
	}
	return maps.Clone(r.at), nil
}

func (r *logReader) Ends(context.Context) (map[int32]int64, error) {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	ends := map[int32]int64{}
	for p, recs := range r.log.recs {
		ends[int32(p)] = int64(len(recs))
	}
	return ends, nil
}

func (r *logReader) Poll() (recs []SharedRecord, at map[int32]int64, err error) {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	for p, all := range r.log.recs {
		recs = append(recs, all[r.at[int32(p)]:]...)
		r.at[int32(p)] = int64(len(all))
	}
	return recs, maps.Clone(r.at), nil
}

func (r *logReader) Save(_ context.Context, at map[int32]int64, write func(func([]byte) error) error) error {
	var parts [][]byte
	err := write(func(part []byte) error { parts = append(parts, bytes.Clone(part)); return nil })
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	if r.log.saves++; r.log.fails > 0 && r.log.saves%r.log.fails == 0 {
		return errors.New("the writer died")
	}
	r.log.at, r.log.parts = at, parts
	return err
}

func (r *logReader) Close() {}
