//go:build realkafka

package kafka

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/bench/brokers"
)

// While brokers are killed one after the other, each of them leader of something,
// every committed record comes once and in order, and snapshots are saved and found.
func TestSharedSurvivesBrokers(t *testing.T) {
	c, cfg, _ := realCluster(t, brokers.Config{Nodes: 3})
	s := openShared(t, cfg)
	_, at := load(t, s)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	var mu sync.Mutex
	committed := map[int32][]string{} // in the order of the one writer of each partition
	unknown := map[string]bool{}      // of which no answer came
	for p := range int32(parts) {
		cl := writerOfPairs(t, cfg, fmt.Sprint("w", p))
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				v := fmt.Sprint(p, "/", i)
				err := cl.BeginTransaction()
				if err == nil {
					err = cl.ProduceSync(context.Background(), &kgo.Record{Partition: p, Value: []byte(v)}).FirstErr()
				}
				how := kgo.TransactionEndTry(err == nil && i%5 != 4)
				end := cl.EndTransaction(context.Background(), how)
				mu.Lock()
				switch {
				case end != nil:
					unknown[v] = true
					cl = writerOfPairs(t, cfg, fmt.Sprint("w", p))
				case bool(how):
					committed[p] = append(committed[p], v)
				}
				mu.Unlock()
			}
		})
	}
	got := map[int32][]string{}
	drain := func() {
		recs, moved, err := s.Poll()
		require.NoError(t, err)
		mu.Lock()
		defer mu.Unlock()
		for _, r := range recs {
			got[r.Partition] = append(got[r.Partition], string(r.Value))
		}
		for p, o := range moved {
			at[p] = o
		}
	}
	wait := func(cond func() bool) {
		t.Helper()
		require.Eventually(t, func() bool { drain(); return cond() }, 2*time.Minute, 10*time.Millisecond, "at %v", at)
	}
	total := func() (n int) {
		for _, vs := range got {
			n += len(vs)
		}
		return n
	}
	for i := range 2 {
		n := total()
		wait(func() bool { return total() > n+30 })
		leader, err := c.Leader(t.Context(), "app.pairs", int32(i))
		require.NoError(t, err)
		c.Kill(leader)
		drain()
		require.NoError(t, s.Save(t.Context(), at, write(fmt.Sprint("a", i), fmt.Sprint("b", i))))
		saved := map[int32]int64{}
		for p, o := range at {
			saved[p] = o
		}
		n = total()
		wait(func() bool { return total() > n+30 })
		parts, from := load(t, openShared(t, cfg))
		require.Equal(t, []string{fmt.Sprint("a", i), fmt.Sprint("b", i)}, parts)
		require.Equal(t, saved, from)
		require.NoError(t, c.Restart(leader))
		require.NoError(t, c.Ready(t.Context()))
		require.NoError(t, c.InSync(t.Context()))
	}
	stop()
	wg.Wait()
	wait(func() bool {
		known := map[int32][]string{}
		for p, vs := range got {
			known[p] = slices.DeleteFunc(slices.Clone(vs), func(v string) bool { return unknown[v] })
		}
		return assert.ObjectsAreEqual(committed, known)
	})
}
