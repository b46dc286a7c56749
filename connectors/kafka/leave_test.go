package kafka

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Who comes after a life of this instance that did not end in order has its
// partitions at once, under either protocol, although the group still counts the one
// before among its members.
func TestSuccessorNeedNotWait(t *testing.T) {
	for _, protocol := range []string{classicProtocol, consumerProtocol} {
		t.Run(protocol, func(t *testing.T) {
			cfg, _ := cluster(t)
			cfg.GroupProtocol, cfg.SessionTimeout = protocol, 30*time.Second
			has := func(s *Session) bool {
				require.NoError(t, s.Begin())
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				_, err := s.Poll(ctx, 1)
				cancel()
				if err == nil {
					_, _, err = s.End(t.Context(), false, nil)
				}
				return err == nil && len(s.Assigned()) == parts
			}
			before := open(t, cfg, keeper(fromCommitted))
			defer before.Close()
			require.Eventually(t, func() bool { return has(before) }, 20*time.Second, time.Millisecond)
			began := time.Now()
			after := open(t, cfg, keeper(fromCommitted))
			defer after.Close()
			require.Eventually(t, func() bool { return has(after) }, 20*time.Second, time.Millisecond)
			t.Logf("after %s", time.Since(began))
		})
	}
}
