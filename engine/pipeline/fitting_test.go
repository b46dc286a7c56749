package pipeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A fit that some partition had not passed is made again when more comes to it.
func TestFitFollows(t *testing.T) {
	none := &fitting{}
	whole := &fitting{at: 5, behind: map[int32]int64{}}
	part := &fitting{at: 5, behind: map[int32]int64{1: 10}}
	more := &fitting{at: 5, behind: map[int32]int64{1: 11}}
	later := &fitting{at: 6, behind: map[int32]int64{1: 10}}
	require.False(t, none.follows(none), "there is no instant yet")
	for i, f := range []*fitting{none, part, more, whole, later} {
		require.False(t, f.follows(f))
		if i > 0 {
			require.True(t, f.follows(none))
		}
	}
	require.True(t, more.follows(part))
	require.True(t, whole.follows(more))
	require.True(t, later.follows(whole))
	require.False(t, whole.follows(later))
}

// A fit waits for a partition that has more to give, and not for one that is at
// its end; live clocks run ahead of what may still come in time.
func TestNextFit(t *testing.T) {
	cfg := learningConfig(t)
	cfg.Score.Learn.Every = 7 * 24 * time.Hour
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).UnixMilli()
	next := func(shards ...*shard) fitting {
		c := &Core{cfg: cfg, clocks: map[int32]place{}}
		for p, s := range shards {
			c.clocks[int32(p)] = place{s.pos, s.exhausted()}
		}
		return c.nextFit()
	}
	part := func(days float64, read, end int64) *shard {
		return &shard{pos: Position{Clock: monday + int64(days*dayMS), Next: read}, end: end, endAt: 1}
	}
	none := map[int32]int64{}
	require.Equal(t, fitting{behind: none}, next(), "no partition")
	require.Equal(t, fitting{monday - 1, none}, next(part(0, 1, 9)))
	require.Equal(t, fitting{monday - 7*dayMS - 1, none}, next(part(-0.1, 1, 9)))
	require.Equal(t, fitting{monday - 1, none}, next(part(9, 1, 9), part(3, 1, 9)), "the slower one counts")
	require.Equal(t, fitting{monday + 7*dayMS - 1, map[int32]int64{1: 9}}, next(part(9, 1, 9), part(3, 9, 9)), "which is at its end")
	require.Equal(t, fitting{behind: none}, next(part(9, 1, 9), &shard{}), "of which nobody has asked where it ends")

	cfg.Clock = LiveClock
	require.Equal(t, fitting{monday - 7*dayMS - 1, none}, next(part(0.9, 9, 9)))
	require.Equal(t, fitting{monday - 1, none}, next(part(1, 9, 9)))
}
