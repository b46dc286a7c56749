package kafka

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Whatever size of a fetch is valid, a client can be made with; and none else.
func TestFetchMaxBytes(t *testing.T) {
	for _, c := range []struct {
		bytes int
		valid bool
	}{{64<<10 - 1, false}, {64 << 10, true}, {16 << 20, true}, {101 << 20, true}, {512 << 20, true}, {512<<20 + 1, false}} {
		cfg := DefaultConfig()
		cfg.FetchMaxBytes = c.bytes
		if !c.valid {
			require.ErrorContains(t, cfg.Validate(), "fetch_max_bytes")
			continue
		}
		require.NoError(t, cfg.Validate())
		base, err := cfg.Options()
		require.NoError(t, err)
		s := &Session{cfg: &cfg}
		cl, err := kgo.NewClient(append(base, s.options("app")...)...)
		require.NoError(t, err, "%d bytes", c.bytes)
		cl.Close()
	}
}
