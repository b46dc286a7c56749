package brokers

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports lie below those that systems give to outgoing connections. Else one of
// these could take a dead broker's port, and a client that dials it again and
// again would in the end reach itself.
const firstPort, lastPort = 15_000, 32_000

// ports returns n loopback addresses that nobody listens on.
func ports(n int) ([]string, error) {
	var addrs []string
	taken := map[int]bool{}
	for range 100 * n {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if taken[port] {
			continue
		}
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue // somebody's
		}
		if err := l.Close(); err != nil {
			return nil, err
		}
		taken[port] = true
		if addrs = append(addrs, addr); len(addrs) == n {
			return addrs, nil
		}
	}
	return nil, fmt.Errorf("no %d free ports between %d and %d", n, firstPort, lastPort)
}
