package state

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// A Frozen shows a partition as it was, data, timers, count and position of one
// instant, whatever is committed after it.
func TestFrozenHoldsStill(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Dir = t.TempDir()
	s, err := Open(cfg, nil, Observer{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	put := func(p int32, key, val string, due int64, position string) {
		t.Helper()
		b := s.NewBatch()
		require.NoError(t, b.Put(p, []byte(key), []byte(val), due))
		b.SetPosition(p, []byte(position))
		require.NoError(t, b.Commit())
	}
	look := func(f *Frozen) (text string) {
		t.Helper()
		pos, err := f.Position()
		require.NoError(t, err)
		n, err := f.Len()
		require.NoError(t, err)
		text = fmt.Sprintf("%s %d", pos, n)
		require.NoError(t, f.Scan(func(key, val []byte, due int64) error {
			text += fmt.Sprintf(" %s=%s@%d", key, val, due)
			return nil
		}))
		require.NoError(t, f.Timers(func(due int64, key []byte) error {
			text += fmt.Sprintf(" %d:%s", due, key)
			return nil
		}))
		return text
	}
	empty, err := s.Freeze(2)
	require.NoError(t, err)
	put(2, "b", "1", 7, "first")
	put(2, "a", "2", -3, "second")
	put(2, "c", "3", 0, "third")
	put(3, "a", "other", 1, "other")
	then, err := s.Freeze(2)
	require.NoError(t, err)
	put(2, "b", "4", 9, "fourth")
	now, err := s.Freeze(2)
	require.NoError(t, err)
	require.Equal(t, " 0", look(empty))
	require.Equal(t, "third 3 a=2@-3 b=1@7 c=3@0 -3:a 7:b", look(then))
	require.Equal(t, "fourth 3 a=2@-3 b=4@9 c=3@0 -3:a 9:b", look(now))
	for _, f := range []*Frozen{empty, then, now} {
		require.NoError(t, f.Close())
	}
	_, err = s.Freeze(-1)
	require.Error(t, err)
}
