package kafka

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
			dec, err := decode.NewJSON(decode.DefaultConfig())
			require.NoError(t, err)
			r, err := NewRepartition("app", cfg, dec, pipeline.LoopConfig{CommitInterval: 2 * time.Millisecond, MaxRecords: 40}, slog.New(slog.NewTextHandler(&said, nil)))
			require.NoError(t, err)
			t.Cleanup(r.adm.Close)
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
