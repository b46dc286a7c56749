package kafka

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Instances that come and go under traffic lose nothing, double nothing and keep
// what they have: what stays with them is not restored again.
func TestInstancesComeAndGo(t *testing.T) {
	for _, protocol := range []string{classicProtocol, consumerProtocol} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, protocol)
			ctx, stop := context.WithCancel(t.Context())
			var feeding sync.WaitGroup
			feeding.Go(func() {
				for ctx.Err() == nil {
					w.feed(2)
					time.Sleep(3 * time.Millisecond)
				}
			})
			defer feeding.Wait()
			defer stop()
			a := w.start("a", 0, nil)
			w.spreadOver(a)
			b := w.start("b", 0, nil)
			w.spreadOver(a, b)
			c := w.start("c", 0, nil)
			w.spreadOver(a, b, c)
			a.mu.Lock()
			for _, p := range a.has {
				require.Equal(t, 1, a.restores[p], "partition %d stayed where it was", p)
			}
			a.mu.Unlock()
			if protocol == classicProtocol {
				b.close()
				w.remove("b")
				w.spreadOver(a, c)
			}
			stop()
			feeding.Wait()
			w.requireOnce(a, b, c)
		})
	}
}

// A standby follows what it would get, and gets it when the owner goes; its follower
// has ended by then.
func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	w := newTown(t, classicProtocol)
	w.feed(20)
	a, b, c := w.start("a", 1, nil), w.start("b", 1, nil), w.start("c", 1, nil)
	w.spreadOver(a, b, c)
	w.await("every partition has a follower", func() bool {
		return len(a.following())+len(b.following())+len(c.following()) == wide
	}, a, b, c)
	cfg := w.cfg
	cfg.Standbys = 1
	m, err := OpenMembers("app", &cfg)
	require.NoError(t, err)
	defer m.Close()
	byName := map[string]*instance{"a": a, "b": b, "c": c}
	expect := map[*instance][]int32{}
	w.await("the group's members are known", func() bool {
		_, _, ok := m.Standby(wide - 1)
		return ok
	}, a, b, c)
	for _, p := range c.assigned() {
		name, address, ok := m.Standby(p)
		require.True(t, ok)
		require.Equal(t, name+".example:8080", address)
		require.Contains(t, byName[name].following(), p)
		expect[byName[name]] = append(expect[byName[name]], p)
	}
	hadA, hadB := a.assigned(), b.assigned()

	c.close()
	w.remove("c")
	w.spreadOver(a, b)
	require.ElementsMatch(t, slices.Concat(hadA, expect[a]), a.assigned())
	require.ElementsMatch(t, slices.Concat(hadB, expect[b]), b.assigned())
	w.await("each follows the other", func() bool {
		return slices.Equal(a.following(), b.assigned()) && slices.Equal(b.following(), a.assigned())
	}, a, b)
	w.feed(5)
	w.requireOnce(a, b, c)
}

// Who asks learns which instance has which partition, and where it is reached.
func TestMembers(t *testing.T) {
	for _, protocol := range []string{classicProtocol, consumerProtocol} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, protocol)
			a, b := w.start("a", 0, nil), w.start("b", 0, nil)
			w.spreadOver(a, b)
			m, err := OpenMembers("app", &w.cfg)
			require.NoError(t, err)
			defer m.Close()
			w.await("the group's members are known", func() bool {
				all := m.All()
				return len(all) == 2 && slices.Equal(all[0].Partitions, a.assigned()) && slices.Equal(all[1].Partitions, b.assigned())
			}, a, b)
			require.Equal(t, "a", m.All()[0].Instance)
			require.Equal(t, "b.example:8080", m.All()[1].Address)
			for p := range int32(wide) {
				instance, address, ok := m.Owner(p)
				require.True(t, ok)
				other := "b"
				if slices.Contains(b.assigned(), p) {
					require.Equal(t, "b", instance)
					other = "a"
				}
				require.Equal(t, instance+".example:8080", address)
				standby, _, ok := m.Standby(p)
				require.True(t, ok)
				require.Equal(t, other, standby)
			}
			_, _, ok := m.Owner(wide)
			require.False(t, ok)
		})
	}
}
