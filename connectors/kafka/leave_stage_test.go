package kafka

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// The next session of a repartition stage has its partitions at once, whether the one
// before ended in order or not.
func TestNextSessionOfAStageNeedNotWait(t *testing.T) {
	for _, protocol := range []string{classicProtocol, consumerProtocol} {
		t.Run(protocol, func(t *testing.T) {
			var said strings.Builder
			cfg, _ := cluster(t)
			cfg.Repartition, cfg.GroupProtocol, cfg.SessionTimeout = true, protocol, 30*time.Second
			r := stageOf(t, cfg, slog.New(slog.NewTextHandler(&said, nil)))
			next := func() *passage {
				began := time.Now()
				p, err := r.open(t.Context())
				require.NoError(t, err)
				t.Cleanup(p.close)
				require.Eventually(t, func() bool {
					_ = p.transaction(t.Context()) // one may meet a rebalance
					return len(p.held()) == parts
				}, 20*time.Second, time.Millisecond)
				t.Logf("after %s", time.Since(began))
				return p
			}
			next().close()
			next()
			require.Empty(t, said.String(), "it ended in order")
			next()
		})
	}
}

// Where the group still counts another life of the instance, the stage waits for its
// place and goes on.
func TestStageWaitsForItsPlace(t *testing.T) {
	c, cfg, _ := fakeCluster(t)
	cfg.Repartition, cfg.GroupProtocol = true, consumerProtocol
	asked := 0
	c.ControlKey(int16(kmsg.ConsumerGroupHeartbeat), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if asked++; asked > 5 { // of the first three refusals the client says nothing
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.ConsumerGroupHeartbeatResponse)
		resp.ErrorCode = kerr.UnreleasedInstanceID.Code
		return resp, nil, true
	})
	p, err := stageOf(t, cfg, slog.New(slog.DiscardHandler), kgo.RetryBackoffFn(func(int) time.Duration { return time.Millisecond })).open(t.Context())
	require.NoError(t, err)
	t.Cleanup(p.close)
	deadline := time.Now().Add(20 * time.Second)
	for len(p.held()) < parts {
		require.NoError(t, p.transaction(t.Context()))
		require.True(t, time.Now().Before(deadline))
	}
}

func stageOf(t *testing.T, cfg *Config, log *slog.Logger, more ...kgo.Opt) *Repartition {
	t.Helper()
	dec, err := decode.NewJSON(decode.DefaultConfig())
	require.NoError(t, err)
	r, err := NewRepartition("app", cfg, dec, pipeline.LoopConfig{CommitInterval: 2 * time.Millisecond, MaxRecords: 40}, log, more...)
	require.NoError(t, err)
	t.Cleanup(r.adm.Close)
	return r
}
