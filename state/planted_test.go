package state

import (
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/stretchr/testify/require"
)

// planted are faults that a store could have, each put where it writes a batch.
// What TestCrash checks must find every one.
var planted = map[string]struct {
	durability string
	write      func(*Store, *pebble.Batch) error
}{
	"positions in a batch of their own": {Sync, inTwo(func(k []byte) bool { return k[0] == spacePosition })},
	"partitions in batches of their own": {Sync, inTwo(func(k []byte) bool {
		return k[0] != spaceChain && k[4] == 1
	})},
	"counts in a batch of their own": {Sync, inTwo(func(k []byte) bool { return k[0] == spaceCount })},
	"timers are not written":         {Changelog, without(func(k []byte) bool { return k[0] == spaceTimer })},
	"counts are not written":         {Changelog, without(func(k []byte) bool { return k[0] == spaceCount })},
	"positions are not written":      {Changelog, without(func(k []byte) bool { return k[0] == spacePosition })},
	"a commit does not wait for the disk": {Sync, func(s *Store, b *pebble.Batch) error {
		return s.db.Apply(b, pebble.NoSync)
	}},
	"a batch in twenty is not written": {Changelog, func(s *Store, b *pebble.Batch) error {
		if s.chain.last%20 == 19 {
			return nil
		}
		return s.write(b)
	}},
}

// part is the operations of a batch whose keys are chosen.
func part(s *Store, b *pebble.Batch, chosen func(k []byte) bool) (*pebble.Batch, error) {
	out := s.db.NewBatch()
	for r := b.Reader(); ; {
		kind, k, v, ok, err := r.Next()
		if err != nil || !ok {
			return out, err
		}
		if !chosen(k) {
			continue
		}
		switch kind {
		case pebble.InternalKeyKindSet:
			err = out.Set(k, v, nil)
		case pebble.InternalKeyKindDelete:
			err = out.Delete(k, nil)
		case pebble.InternalKeyKindSingleDelete:
			err = out.SingleDelete(k, nil)
		case pebble.InternalKeyKindRangeDelete:
			err = out.DeleteRange(k, v, nil)
		}
		if err != nil {
			return out, err
		}
	}
}

func without(left func(k []byte) bool) func(*Store, *pebble.Batch) error {
	return func(s *Store, b *pebble.Batch) error {
		rest, err := part(s, b, func(k []byte) bool { return !left(k) })
		if err != nil {
			return err
		}
		defer rest.Close()
		return s.write(rest)
	}
}

// inTwo writes what is apart in a batch of its own, behind the other.
func inTwo(apart func(k []byte) bool) func(*Store, *pebble.Batch) error {
	return func(s *Store, b *pebble.Batch) error {
		if err := without(apart)(s, b); err != nil {
			return err
		}
		return without(func(k []byte) bool { return !apart(k) })(s, b)
	}
}

// TestPlanted: the proof can fail.
func TestPlanted(t *testing.T) {
	for name, fault := range planted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tune := smallTuning
			tune.write = fault.write
			r := &crashRun{durability: fault.durability, tuning: tune}
			for seed := uint64(0); r.first == "" && seed < 50; seed++ {
				if text := failureOf(func(t require.TestingT) { r.run(t, seed) }); r.first == "" {
					r.first = text // the walk itself has met it
				}
			}
			require.NotEmpty(t, r.first, "%d crashes have not shown it", r.clones)
			t.Logf("after %d crashes: %s", r.clones, r.first)
		})
	}
}
