package main

import (
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func testInstance(t *testing.T) *instance {
	t.Helper()
	dir := t.TempDir()
	n := &instance{name: "i", dir: dir, state: filepath.Join(dir, "disk", "state"), note: t.Logf, trace: t.Logf}
	require.NoError(t, os.MkdirAll(filepath.Join(n.state, "sub"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(n.state, "a"), make([]byte, 100), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(n.state, "sub", "b"), make([]byte, 300), 0o644))
	return n
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return b
}

func TestOneBitIsFlipped(t *testing.T) {
	n := testInstance(t)
	did, err := flipState(n, rand.New(rand.NewPCG(1, 1)))
	require.NoError(t, err)
	require.True(t, did)
	ones := 0
	for _, b := range append(read(t, n.state, "a"), read(t, n.state, "sub", "b")...) {
		ones += bits.OnesCount8(b)
	}
	require.Equal(t, 1, ones)
	require.NoError(t, emptyDir(n.state))
	did, err = flipState(n, rand.New(rand.NewPCG(1, 1)))
	require.NoError(t, err)
	require.False(t, did, "there is nothing to be flipped")
}

func TestAnOlderCopyComesBack(t *testing.T) {
	n, rng := testInstance(t), rand.New(rand.NewPCG(1, 1))
	n.snapshot(rng)
	require.NoError(t, os.WriteFile(filepath.Join(n.state, "a"), []byte("newer"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(n.state, "c"), []byte("newer"), 0o644))
	did, err := ageState(n, rng)
	require.NoError(t, err)
	require.True(t, did)
	require.Len(t, read(t, n.state, "a"), 100)
	require.NoFileExists(t, filepath.Join(n.state, "c"))
	did, err = deleteState(n, rng)
	require.NoError(t, err)
	require.True(t, did)
	require.DirExists(t, n.state, "it may be a mount")
	require.NoFileExists(t, filepath.Join(n.state, "a"))
}
