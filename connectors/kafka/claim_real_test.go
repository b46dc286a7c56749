//go:build realkafka

package kafka

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/dangol-dev/dangol/bench/brokers"
)

// Three real brokers as they should be set bear the claim, before the topics are made
// and after; a setting that does not is found.
func TestClaimOnRealKafka(t *testing.T) {
	c, cfg, cl := realCluster(t, brokers.Config{Nodes: 3})
	found, err := CheckClaim(t.Context(), "app", cfg)
	require.NoError(t, err)
	require.Empty(t, found)
	require.NoError(t, EnsureTopics(t.Context(), kadm.NewClient(cl), "app", cfg))
	require.NoError(t, c.InSync(t.Context()))
	found, err = CheckClaim(t.Context(), "app", cfg)
	require.NoError(t, err)
	require.Empty(t, found)

	for key, value := range map[string]string{"unclean.leader.election.enable": "true", "min.insync.replicas": "1", "cleanup.policy": "delete"} {
		_, err := c.Admin().AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}, "app.changelog")
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		found, err = CheckClaim(t.Context(), "app", cfg)
		return err == nil && len(found) == 3
	}, time.Minute, 100*time.Millisecond)
	require.Contains(t, found[0].Text, "app.changelog has cleanup.policy delete")
	require.Contains(t, found[1].Text, "min.insync.replicas 1 (app.changelog)")
	require.Contains(t, found[2].Text, "unclean.leader.election.enable true (app.changelog)")
}
