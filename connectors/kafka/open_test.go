package kafka

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The first start makes the topics, the second finds them: both are of one identity,
// else the state of the first would be taken for somebody else's.
func TestIdentityOutlivesTheFirstStart(t *testing.T) {
	cfg, _ := cluster(t)
	s := open(t, cfg, keeper(fromCommitted))
	first := s.id
	s.Close()
	s = open(t, cfg, keeper(fromCommitted))
	defer s.Close()
	require.Equal(t, first, s.id)
}
