package api

import (
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// allAddresses is a listener on every interface, as far as its address goes.
type allAddresses struct{ net.Listener }

func (allAddresses) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: 8080} }

func TestAdvertise(t *testing.T) {
	r := newRig(t, nil)
	require.Empty(t, r.server.Advertise(), "not known before Listen")
	require.NoError(t, r.server.Listen())
	defer r.server.Close()
	require.Equal(t, r.server.Addr(), r.server.Advertise())

	every := newRig(t, nil)
	every.server.listener = allAddresses{}
	name, err := os.Hostname()
	require.NoError(t, err)
	require.Equal(t, net.JoinHostPort(name, "8080"), every.server.Advertise())

	told := newRig(t, func(c *Config) { c.Advertise = "dangol-0.example:8080" })
	require.Equal(t, "dangol-0.example:8080", told.server.Advertise())
}
