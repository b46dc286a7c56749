//go:build realkafka

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/bench/brokers"
)

// realBrokers starts three brokers of Apache Kafka with an input topic.
func realBrokers(t *testing.T, partitions int32) *brokers.Cluster {
	t.Helper()
	c, err := brokers.Start(t.Context(), brokers.Config{Nodes: 3, MaxLife: 10 * time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	require.NoError(t, c.CreateTopic(t.Context(), "events", partitions, nil))
	return c
}

// committed is how far the engine has come in its input, all partitions taken
// together; 0 while the group's coordinator moves.
func committed(t *testing.T, c *brokers.Cluster) (sum int64) {
	offs, err := c.Committed(t.Context(), "dangol", "events")
	if err != nil {
		return 0
	}
	for _, at := range offs {
		sum += at
	}
	return sum
}

// As TestKilledAtRandomMoments, on three brokers of Apache Kafka, of which the
// one that leads a partition of the changelog dies too. Each life of the engine
// commits before it ends, as long as there is something to commit.
func TestKilledOnRealBrokers(t *testing.T) {
	c := realBrokers(t, 4)
	const events, kills, brokerDies, brokerReturns = 20_000, 6, 2, 4
	var done int64
	dead := -1
	killing{
		broker: strings.Join(c.Addrs(), ","), events: events, kills: kills, rate: 600,
		before: func(kill int, r *runner) {
			switch kill {
			case brokerDies:
				var err error
				dead, err = c.Leader(t.Context(), "dangol.changelog", 0)
				require.NoError(t, err)
				c.Kill(dead)
			case brokerReturns:
				require.NoError(t, c.Restart(dead))
			}
			last := done
			require.Eventually(t, func() bool {
				done = max(last, committed(t, c))
				return done > last || done == events
			}, 2*time.Minute, 20*time.Millisecond,
				"nothing was committed after kill %d:\n%s", kill, &r.out)
			t.Logf("kill %d after %d events", kill+1, done)
		},
	}.run(t)
	require.GreaterOrEqual(t, dead, 0)
}
