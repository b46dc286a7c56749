package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What an instance holds is what it held in each of its answers, and nothing if
// one of them did not come.
func TestCanvassCountsWhatHeldThroughout(t *testing.T) {
	c := newCanvass(view{&fakeCluster{owners: []string{"a", "a", "b", "b"}, members: []Member{{Instance: "a"}, {Instance: "b"}}}, "a"})
	c.heard("a", []int32{0, 1}, true)
	c.heard("b", nil, false)
	require.Empty(t, c.open())
	require.NoError(t, c.verdict("x"))
	c.heard("a", []int32{1, 2, 9}, true)
	require.Equal(t, []int32{0}, c.open())
	require.Error(t, c.verdict("x"))
	c.missed("b", "it is stopping")
	require.Equal(t, []int32{0, 2, 3}, c.open())
	require.EqualError(t, c.verdict("x may be"), `x may be where nobody looked: instance "b" did not answer: it is stopping`)
	c.missed("a", "it sleeps")
	require.EqualError(t, c.verdict("x may be"), `x may be where nobody looked: instance "a" did not answer: it sleeps; instance "b" did not answer: it is stopping`)
}
