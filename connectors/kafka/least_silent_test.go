package kafka

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Offsets that the group does not answer are an error of the session, and not the end
// of the process.
func TestLeastWithoutAnAnswer(t *testing.T) {
	c, cfg, _ := fakeCluster(t)
	cfg.Delivery = "at_least_once"
	s := open(t, cfg, keeper(fromCommitted))
	defer s.Close()
	awaitAssigned(t, s, 0, 1, 2)
	c.ControlKey(int16(kmsg.OffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		c.SleepControl(func() { time.Sleep(2 * time.Second) })
		return nil, nil, false
	})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.Error(t, s.commitOffsets(ctx, map[int32]kgo.EpochOffset{0: {Epoch: -1, Offset: 0}}))
}
