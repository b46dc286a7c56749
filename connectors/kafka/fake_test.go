//go:build !realkafka

package kafka

import "testing"

// bootstrap starts Kafka's imitation with an empty topic "events".
func bootstrap(t *testing.T) []string {
	t.Helper()
	c, _, _ := fakeCluster(t)
	return c.ListenAddrs()
}
