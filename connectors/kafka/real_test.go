//go:build realkafka

package kafka

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/bench/brokers"
)

// bootstrap starts a broker of Apache Kafka with an empty topic "events" of so many
// partitions: what is tested on the imitation is true of the original.
func bootstrap(t *testing.T, partitions int32) []string {
	t.Helper()
	c, err := brokers.Start(t.Context(), brokers.Config{Nodes: 1, MaxLife: 5 * time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	require.NoError(t, c.CreateTopic(t.Context(), "events", partitions, nil))
	return c.Addrs()
}
