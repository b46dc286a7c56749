package api

import (
	"net"
	"net/netip"
	"os"
)

// Advertise is the host:port at which other instances reach this one:
// http.advertise, or the address that Listen took. Where that is every interface,
// it is this machine's name, which the others must be able to resolve. An address
// on loopback serves instances on the same machine; those of another find
// somebody else there, and notice. It is "" before Listen, if http.advertise is
// not set, and on a machine that has no name.
func (s *Server) Advertise() string {
	if s.cfg.Advertise != "" || s.listener == nil {
		return s.cfg.Advertise
	}
	host, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		return ""
	}
	if wildcard(host) {
		if host, err = os.Hostname(); err != nil || host == "" {
			s.log.Warn("http: this machine has no name, so that other instances cannot ask this one: set http.advertise", "error", err)
			return ""
		}
	}
	return net.JoinHostPort(host, port)
}

// wildcard says that a host is every interface.
func wildcard(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}
