package pipeline

import (
	"context"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

// shortLog is a changelog of two transactions, with something stale in the second.
type shortLog struct{ from []int64 }

func (l *shortLog) Read(_ context.Context, p int32, from int64, fn func([]LogRecord, int64) error) (int64, error) {
	l.from = append(l.from, from)
	commit := func(at, next int64) LogRecord {
		return LogRecord{Offset: at, Key: positionLogKey(p), Value: Position{Next: next}.Append(nil)}
	}
	for _, recs := range [][]LogRecord{
		{commit(7, 1)},
		{{Offset: 8, Key: []byte("c1"), Value: []byte{0}, Stale: true}, commit(9, 2)},
	} {
		if recs[0].Offset >= from {
			if err := fn(recs, 11); err != nil {
				return 0, err
			}
		}
	}
	return 11, nil
}

func (l *shortLog) Follow(context.Context, int32, int64, func([]LogRecord) error) error { return nil }

// Who finds something stale and dies before it is written again finds it again.
func TestStaleIsFoundAgain(t *testing.T) {
	store := openStore(t, vfs.NewMem(), 1<<20)
	defer store.Close()
	log := new(shortLog)
	for range 2 {
		c := newTestCore(testConfig(), store, future())
		start, err := c.Restore(t.Context(), Assignment{Committed: -1, Identity: identity}, log)
		require.NoError(t, err)
		require.Equal(t, int64(2), start)
		require.Contains(t, c.stales[0], "c1")
		c.Close()
	}
	require.Equal(t, []int64{0, 8}, log.from)
}
