package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/state"
)

// A state directory whose files were damaged while nothing ran is set aside, and
// read back from the changelog.
func TestDamagedStateIsReadBack(t *testing.T) {
	dir := t.TempDir()
	input := filepath.Join(dir, "events.jsonl")
	call(t, "generate", "--events", "3000", "--customers", "200", "--out", input)
	broker := brokerProcess(t, 2)
	r := newRunner(t, broker, "clock: event\n")
	call(t, "produce", "--input", input, "--brokers", broker)
	r.ready()
	r.drained(broker, "dangol")
	r.stop(syscall.SIGTERM)
	want := readFacts(t, call(t, "inspect", "--state", r.state, "--facts"))
	require.NotEmpty(t, want)

	tables, err := filepath.Glob(filepath.Join(r.state, "*.sst"))
	require.NoError(t, err)
	require.NotEmpty(t, tables)
	require.NoError(t, os.Truncate(tables[0], 100))
	r.start()
	r.says(t, "the state on disk is of no use; it was set aside")
	r.ready()
	r.stop(syscall.SIGTERM)
	got := readFacts(t, call(t, "inspect", "--state", r.state, "--facts"))
	require.Len(t, got, len(want))
	for id, c := range want {
		require.Equal(t, c.Facts, got[id].Facts, "facts of %s", id)
	}
	aside, err := filepath.Glob(r.state + ".damaged-*")
	require.NoError(t, err)
	require.Len(t, aside, 1)
	require.Contains(t, r.out.String(), "old="+aside[0])
}

func stateConfig(t *testing.T) state.Config {
	cfg := state.DefaultConfig()
	cfg.Dir = filepath.Join(t.TempDir(), "state")
	return cfg
}

// Damage that is met while the engine runs ends it; the next start sets the state
// aside. A directory of somebody else is left alone.
func TestOpenState(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	cfg := stateConfig(t)
	damaged := make(chan error, 1)
	store, err := openState(cfg, log, damaged)
	require.NoError(t, err)
	b := store.NewBatch()
	for i := range 1000 {
		require.NoError(t, b.Put(0, fmt.Appendf(nil, "key %d", i), bytes.Repeat([]byte{byte(i)}, 100), 0))
	}
	require.NoError(t, b.Commit())
	require.NoError(t, store.Close())

	store, err = openState(cfg, log, damaged)
	require.NoError(t, err)
	tables, err := filepath.Glob(filepath.Join(cfg.Dir, "*.sst"))
	require.NoError(t, err)
	require.Len(t, tables, 1)
	require.NoError(t, os.WriteFile(tables[0], bytes.Repeat([]byte("?"), int(store.DiskUsage())), 0o600))
	require.ErrorIs(t, store.Scan(0, nil, func(_, _ []byte, _ int64) error { return nil }), state.ErrDamaged)
	require.ErrorIs(t, <-damaged, state.ErrDamaged)
	_ = store.Close()
	require.Empty(t, out.String())

	store, err = openState(cfg, log, damaged)
	require.NoError(t, err)
	require.Empty(t, damaged)
	parts, err := store.Partitions()
	require.NoError(t, err)
	require.Empty(t, parts, "it begins with nothing")
	require.NoError(t, store.Close())
	aside, err := filepath.Glob(cfg.Dir + ".damaged-*")
	require.NoError(t, err)
	require.Len(t, aside, 1)
	require.Contains(t, out.String(), aside[0])

	foreign := stateConfig(t)
	require.NoError(t, os.MkdirAll(foreign.Dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(foreign.Dir, "letter.txt"), []byte("dear"), 0o600))
	_, err = openState(foreign, log, damaged)
	require.ErrorIs(t, err, state.ErrForeign)
	require.FileExists(t, filepath.Join(foreign.Dir, "letter.txt"))
}

// Nothing is done in vain: an engine whose state is damaged ends, and says why.
func TestDamageEndsTheEngine(t *testing.T) {
	cfg, err := loadConfig("", []string{"input.brokers=[" + brokerProcess(t, 1) + "]", "http.listen=127.0.0.1:0", "state.dir=" + stateConfig(t).Dir})
	require.NoError(t, err)
	e, err := newEngine(cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	damaged := make(chan error, 1)
	e.damaged = damaged
	damaged <- errors.Join(state.ErrDamaged, errors.New("block 7"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = e.run(ctx)
	require.ErrorIs(t, err, state.ErrDamaged)
	require.ErrorContains(t, err, "block 7")
}
