package kafka

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

func TestSharedTopics(t *testing.T) {
	cfg, cl := imitation(t)
	openShared(t, cfg)
	adm := kadm.NewClient(cl)
	details, err := adm.ListTopics(t.Context(), "app.pairs", "app.population")
	require.NoError(t, err)
	require.Len(t, details["app.pairs"].Partitions, parts)
	require.Len(t, details["app.population"].Partitions, 1)
	configs, err := adm.DescribeTopicConfigs(t.Context(), "app.pairs", "app.population")
	require.NoError(t, err)
	value := func(topic, key string) string {
		rc, err := configs.On(topic, nil)
		require.NoError(t, err)
		for _, c := range rc.Configs {
			if c.Key == key {
				return c.MaybeValue()
			}
		}
		return ""
	}
	require.Equal(t, "delete", value("app.pairs", "cleanup.policy"))
	require.Equal(t, "-1", value("app.pairs", "retention.ms"))
	require.Equal(t, "-1", value("app.pairs", "retention.bytes"))
	require.Equal(t, "compact", value("app.population", "cleanup.policy"))
}

// A topic of snapshots of more than one partition is refused.
func TestSharedRefusesPartitionedSnapshots(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "events", "app.population"))
	require.NoError(t, err)
	defer c.Close()
	cfg := DefaultConfig()
	cfg.Brokers = c.ListenAddrs()
	_, err = OpenShared(t.Context(), "app", &cfg, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, pipeline.ErrFatal)
	require.ErrorContains(t, err, `"app.population" has 2 partitions, it must have one`)
}

// A log that is deleted and made anew under a process is the end of it.
func TestSharedSeesItsTopicMadeAnew(t *testing.T) {
	cfg, cl := imitation(t)
	s := openShared(t, cfg)
	load(t, s)
	adm := kadm.NewClient(cl)
	_, err := adm.DeleteTopics(t.Context(), "app.pairs")
	require.NoError(t, err)
	require.NoError(t, EnsureTopics(t.Context(), adm, "app", cfg))
	require.Eventually(t, func() bool {
		_, _, err = s.Poll()
		return err != nil
	}, 30*time.Second, 10*time.Millisecond)
	require.ErrorIs(t, err, pipeline.ErrFatal)
	require.ErrorContains(t, err, "made anew")
}
