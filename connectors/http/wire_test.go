package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Names and ages survive the headers that carry them.
func TestHeaders(t *testing.T) {
	h := http.Header{}
	tellInstances(h, "a, b", "eu-west/단골", "c")
	require.Equal(t, "a%2C%20b, eu-west%2F%EB%8B%A8%EA%B3%A8, c", h.Get(headerInstance))
	for _, held := range [][]int32{nil, {0}, {3, 1, 2000}} {
		tellPartitions(h, held)
		got, known, err := toldPartitions(h)
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, held, got)
	}
	_, known, err := toldPartitions(http.Header{})
	require.NoError(t, err)
	require.False(t, known)
	for told, want := range map[time.Duration]time.Duration{0: 0, -time.Second: 0, 1499 * time.Millisecond: 1499 * time.Millisecond, 48 * time.Hour: 48 * time.Hour} {
		tellAge(h, told)
		got, copied, err := toldAge(h)
		require.NoError(t, err)
		require.True(t, copied)
		require.Equal(t, want, got)
	}
}
