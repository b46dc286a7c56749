package state

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/require"
)

// A disk that fails may end the process: Pebble's log and its list of files
// cannot be done without. So these tests run the store in a process of its own,
// which tells what it was promised, and look at what is left.

const childEnv = "DANGOL_STATE_CHILD"

// trial is what a child does, as text in childEnv.
type trial struct {
	dir, durability string
	ops             string // that fail: full, sync or log
	after, failures int    // operations that succeed, and then fail
}

func (c trial) String() string {
	return fmt.Sprintf("%s %s %s %d %d", c.dir, c.durability, c.ops, c.after, c.failures)
}

// failingDisk fails for a while.
type failingDisk struct {
	trial
	mu sync.Mutex
}

func (d *failingDisk) MaybeError(op errorfs.Op) error {
	var err error
	switch op.Kind {
	case errorfs.OpCreate, errorfs.OpFileWrite, errorfs.OpFilePreallocate:
		if d.ops == "full" {
			err = &os.PathError{Op: "write", Path: op.Path, Err: syscall.ENOSPC}
		}
		if d.ops == "log" && op.Kind == errorfs.OpCreate && strings.HasSuffix(op.Path, ".log") {
			time.Sleep(50 * time.Millisecond) // what was begun before gets to work
			err = &os.PathError{Op: "write", Path: op.Path, Err: syscall.ENOSPC}
		}
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		if d.ops == "sync" {
			err = &os.PathError{Op: "sync", Path: op.Path, Err: syscall.EIO}
		}
	}
	if err == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.after--; d.after >= 0 {
		return nil
	}
	if d.failures--; d.failures < 0 {
		return nil
	}
	return err
}

func (d *failingDisk) String() string { return "failing disk" }

const childBatches = 60

// childPuts are the entries of a batch: so large that Pebble flushes often.
func childPuts(n int, put func(key string, val []byte, due int64)) {
	for i := range 5 {
		val := make([]byte, 12<<10)
		_, _ = rand.NewChaCha8([32]byte{byte(n), byte(i)}).Read(val)
		put(fmt.Sprintf("c%02d", (n*5+i)%37), val, int64(n))
	}
}

// childMain commits batches one after the other, from the position on and each
// until the store takes it, and says so; now and then it flushes. It ends without
// a farewell.
func childMain(text string) {
	var c trial
	if _, err := fmt.Sscan(text, &c.dir, &c.durability, &c.ops, &c.after, &c.failures); err != nil {
		panic(err)
	}
	cfg := testConfig()
	cfg.Dir, cfg.Durability = c.dir, c.durability
	s, err := open(cfg, errorfs.Wrap(vfs.Default, &failingDisk{trial: c}), Observer{
		Message: func(text string) { fmt.Fprintln(os.Stderr, text) },
	}, smallTuning)
	if err != nil {
		fmt.Fprintln(os.Stdout, "not opened:", err, errors.Is(err, ErrDamaged))
		os.Exit(0)
	}
	tab, err := s.Table(0)
	if err != nil {
		panic(err)
	}
	position, ok, err := s.Position(0)
	if err != nil {
		panic(err)
	}
	first := 0
	if ok {
		first = int(binary.BigEndian.Uint32(position)) + 1
	}
	b := s.NewBatch()
	for n := first; n < first+childBatches; n++ {
		childPuts(n, func(key string, val []byte, due int64) {
			if err := tab.Put([]byte(key), val, due); err != nil {
				panic(err)
			}
		})
		for told := false; ; told = true { // the overlay is as it was
			b.AddTable(tab, binary.BigEndian.AppendUint32(nil, uint32(n)))
			err := b.Commit()
			if err == nil {
				fmt.Fprintln(os.Stdout, "committed", n)
				break
			}
			if !told {
				fmt.Fprintln(os.Stdout, "refused", n, err)
			}
		}
		if n%10 == 9 && s.Flush() == nil {
			fmt.Fprintln(os.Stdout, "flushed", n)
		}
	}
	os.Exit(0)
}

const childWithin = time.Minute // for a child, which takes a fraction of a second

// run runs a child and returns the last batch that it was promised, -1 for none,
// and all that it said.
func (c trial) run(t *testing.T) (promised int, said string) {
	ctx, cancel := context.WithTimeout(t.Context(), childWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // it says where it hangs
	cmd.Env = append(os.Environ(), childEnv+"="+c.String())
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	require.NoError(t, ctx.Err(), "%s hangs: %s\n%s", c, out, &complaint)
	if err != nil {
		// Pebble itself may panic, too, also with its mutex unlocked, which ends the process in another way.
		require.Regexp(t, "stopping so that nothing is lost|panic: |fatal error: ", complaint.String())
		require.Regexp(t, "no space left on device|input/output error", complaint.String(), "%s\n%s", c, out) // it says why
	}
	promised = -1
	for line := range strings.Lines(string(out)) {
		var word string
		var n int
		_, _ = fmt.Sscan(line, &word, &n)
		if word == "flushed" || word == "committed" && c.durability == Sync {
			promised = n
		}
	}
	return promised, string(out) + complaint.String()
}

// TestFailingDisk: a disk is full, or does not sync, for a while and from any
// moment on. The store refuses and goes on when it can, or ends the process;
// either way a prefix is left that has all that was promised.
func TestFailingDisk(t *testing.T) {
	for _, durability := range durabilities {
		t.Run(durability, func(t *testing.T) {
			t.Parallel()
			found := map[string]int{}
			for i := range max(1, clones(t, 60)/12) {
				rng := rand.New(rand.NewPCG(uint64(i), 11))
				c := trial{dir: filepath.Join(t.TempDir(), "s"), durability: durability, ops: "full", after: 1 << 30}
				before, _ := c.run(t)
				c.ops = []string{"full", "sync"}[i%2]
				c.after, c.failures = rng.IntN(1+rng.IntN(300)), 1+rng.IntN(100)
				promised, said := c.run(t)
				for _, word := range []string{"refused", "not opened", "stopping so that nothing is lost", "log cannot be written"} {
					if strings.Contains(said, word) {
						found[word]++
					}
				}
				require.NotContains(t, said, "true\n", "damaged")
				checkChild(t, c, max(before, promised), said)
			}
			t.Logf("%v", found)
		})
	}
}

// checkChild opens what a child has left.
func checkChild(t *testing.T, c trial, promised int, said string) {
	cfg := testConfig()
	cfg.Dir, cfg.Durability = c.dir, c.durability
	s, err := open(cfg, nil, Observer{}, smallTuning)
	require.NoError(t, err, "%s", said)
	defer func() { require.NoError(t, s.Close()) }()
	position, ok, err := s.Position(0)
	require.NoError(t, err)
	last := -1
	if ok {
		last = int(binary.BigEndian.Uint32(position))
	}
	require.GreaterOrEqual(t, last, promised, "%s", said)
	want := newPlain()
	for n := range last + 1 {
		childPuts(n, want.put)
	}
	if ok {
		want.commit(position)
	}
	checkCommitted(t, s, 0, want)
	tab, err := s.Table(0)
	require.NoError(t, err)
	drainTimers(t, tab, want.committed)
	tab.Close()
}
