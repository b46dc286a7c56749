package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

// lostLog is a shared log that cannot be loaded, or goes on without what was not read.
type lostLog struct {
	*logReader
	load, poll error
	closed     *int
}

func (l *lostLog) Load(ctx context.Context, fn func([]byte) error) (map[int32]int64, error) {
	if l.load != nil {
		return nil, l.load
	}
	return l.logReader.Load(ctx, fn)
}

func (l *lostLog) Poll() ([]SharedRecord, map[int32]int64, error) {
	if l.poll != nil {
		return nil, nil, l.poll
	}
	return l.logReader.Poll()
}

func (l *lostLog) Close() { *l.closed++ }

// A process that cannot follow the shared log any more learns what is shared anew, and
// leaves no log open behind it.
func TestSharedLogIsJoinedAgain(t *testing.T) {
	w := newWorld(1, nil, 1, 0)
	store := openStore(t, vfs.NewMem(), 1<<20)
	defer func() { require.NoError(t, store.Close()) }()
	core := newTestCore(testConfig(), store, w)
	defer core.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	opened, closed, sessions := 0, 0, 0
	loop := &Loop{
		Core: core, Cfg: DefaultLoopConfig(), Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Share: func(context.Context) (SharedLog, error) {
			opened++
			log := &lostLog{logReader: w.said.reader(), closed: &closed}
			switch opened {
			case 1:
				log.load = errors.New("no broker")
			case 2:
				log.poll = errors.New("fell behind")
			}
			return log, nil
		},
		Open: func(ctx context.Context, k Keeper) (Session, error) {
			if sessions++; opened == 3 {
				cancel()
			}
			return w.open(ctx, k)
		},
	}
	require.NoError(t, loop.Run(ctx))
	require.Equal(t, 3, opened)
	require.Equal(t, 3, closed)
	require.Equal(t, 2, sessions)
}
