package kafka

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// The models topic is made beside the others, keeps the latest of each key, and
// what a transaction says of models is seen with its commit alone.
func TestModelsTopic(t *testing.T) {
	cfg, cl := cluster(t)
	feed(t, cl, 0, 1)
	s := open(t, cfg, keeper(fromCommitted))
	adm := kadm.NewClient(cl)
	policy := func() string {
		configs, err := adm.DescribeTopicConfigs(t.Context(), "app.models")
		require.NoError(t, err)
		rc, err := configs.On("app.models", nil)
		require.NoError(t, err)
		for _, c := range rc.Configs {
			if c.Key == "cleanup.policy" {
				return c.MaybeValue()
			}
		}
		return ""
	}
	require.Eventually(t, func() bool { return policy() == "compact" }, 20*time.Second, 10*time.Millisecond)

	model := func(v string) pipeline.Output {
		return pipeline.Output{To: pipeline.Models, Partition: -1, Key: []byte("models"), Value: []byte(v)}
	}
	require.NoError(t, s.Begin())
	s.Produce([]pipeline.Output{model("aborted")})
	require.NoError(t, s.gs.Client().Flush(t.Context()), "so that there is something to abort")
	_, _, err := s.End(t.Context(), false, nil)
	require.NoError(t, err)
	s.Close()
	s = open(t, cfg, keeper(fromCommitted))
	defer s.Close()
	require.NoError(t, s.Begin())
	next := poll(t, s, 1)
	s.Produce([]pipeline.Output{model("v2"), logged(1, 0)})
	pos := commit(t, s, next)
	require.Equal(t, map[int32]int64{0: 1}, pos, "the changelog's alone")

	in, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.ConsumeTopics("app.models"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	require.NoError(t, err)
	defer in.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	fs := in.PollRecords(ctx, 1)
	require.NoError(t, fs.Err())
	recs := fs.Records()
	require.Len(t, recs, 1)
	require.Equal(t, "models", string(recs[0].Key))
	require.Equal(t, "v2", string(recs[0].Value))
}
