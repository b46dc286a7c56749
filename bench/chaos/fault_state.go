package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

func stateKinds() []kind {
	return []kind{
		{name: "state-deleted", flag: "state-deleted", doc: "an instance loses its state directory while it is down", lane: processes, weight: 1, do: damage("state-deleted", deleteState, nil)},
		{name: "state-flipped", flag: "state-flipped", doc: "one bit of an instance's state is flipped while it is down", lane: processes, weight: 1, do: damage("state-flipped", flipState, nil)},
		{name: "state-older", flag: "state-older", doc: "an instance's state is replaced by an older copy while it is down", lane: processes, weight: 1, do: damage("state-older", ageState, withCopy)},
		{name: "disk-full", flag: "disk-full", doc: "an instance's disk is full for a while", lane: processes, weight: 1, unable: noSmallDisk, do: fillDisk},
	}
}

// damage kills an instance, does something to its state, and starts it again.
// before, if not nil, makes it ready for that.
func damage(name string, do func(n *instance, rng *rand.Rand) (bool, error), before func(context.Context, *instance) error) func(context.Context, *world, *rand.Rand) (bool, error) {
	return func(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
		n := w.pick(ctx, rng)
		if n == nil {
			return false, nil
		}
		defer n.busy.Unlock()
		if before != nil {
			if err := before(ctx, n); err != nil {
				return false, err
			}
		}
		w.dies(ctx, n, name, rng)
		did, err := do(n, rng)
		if err != nil {
			w.note("%s: %v", name, err)
		}
		return did, n.start()
	}
}

func (n *instance) older() string { return filepath.Join(n.dir, "older") }

// snapshot keeps a copy of the state of an instance that is down, now and then.
func (n *instance) snapshot(rng *rand.Rand) {
	if _, err := os.Stat(n.older()); err == nil && rng.IntN(4) != 0 {
		return
	}
	if err := replaceTree(n.state, n.older()); err != nil {
		n.note("copy the state of %s: %v", n.name, err)
	}
}

func deleteState(n *instance, _ *rand.Rand) (bool, error) { return true, emptyDir(n.state) }

func ageState(n *instance, _ *rand.Rand) (bool, error) { return true, replaceTree(n.older(), n.state) }

// copyAge is how long an instance works on after its state was copied.
const copyAge = 5 * time.Second

// withCopy makes sure that there is a copy of an instance's state, which the
// instance has left behind.
func withCopy(ctx context.Context, n *instance) error {
	if _, err := os.Stat(n.older()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	n.kill()
	err := errors.Join(replaceTree(n.state, n.older()), n.start())
	pause(ctx, copyAge)
	return err
}

// flipState flips a bit of a file of the state, the likelier the larger it is.
func flipState(n *instance, rng *rand.Rand) (bool, error) {
	var files []string
	var sizes []int64
	total := int64(0)
	err := filepath.WalkDir(n.state, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Size() > 0 {
			files, sizes, total = append(files, path), append(sizes, info.Size()), total+info.Size()
		}
		return err
	})
	if err != nil || total == 0 {
		return false, err
	}
	at := rng.Int64N(total)
	i := 0
	for ; at >= sizes[i]; i++ {
		at -= sizes[i]
	}
	n.trace("  a bit of byte %d of %s", at, files[i])
	f, err := os.OpenFile(files[i], os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	var b [1]byte
	_, err = f.ReadAt(b[:], at)
	if err == nil {
		b[0] ^= 1 << rng.IntN(8)
		_, err = f.WriteAt(b[:], at)
	}
	return err == nil, errors.Join(err, f.Close())
}

// emptyDir deletes what is in a directory, and not the directory, for it may be a
// mount.
func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// replaceTree makes to a copy of from.
func replaceTree(from, to string) error {
	if err := emptyDir(to); err != nil {
		return err
	}
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		return copyFile(path, filepath.Join(to, rel))
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func noSmallDisk(w *world) string {
	if w.full == nil {
		return "a small file system (tmpfs) could not be mounted: it needs Linux and root"
	}
	return ""
}

const filler = "filler"

// fillDisk leaves the first instance no room for a while.
func fillDisk(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	n := w.instances[0]
	n.busy.Lock()
	defer n.busy.Unlock()
	path := filepath.Join(w.full.dir, filler)
	f, err := os.Create(path)
	if err != nil {
		return false, err
	}
	chunk := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(chunk) // until there is no room
	}
	_ = f.Close() // what did not fit is no loss
	at := time.Now()
	w.note("disk of %s is full: %v", n.name, err)
	pause(ctx, between(rng, 4*time.Second, 10*time.Second))
	w.watch.began(ctx, "disk-full", at, w.watch.of(n.name))
	return true, os.Remove(path)
}
