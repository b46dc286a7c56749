package api

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Config is where the API listens, and how much it lets a caller take.
type Config struct {
	Listen            string        `yaml:"listen" doc:"address and port to listen on; port 0 picks a free one. There is no login: keep it on loopback, or behind a proxy that asks for one"`
	Advertise         string        `yaml:"advertise" doc:"host:port at which other instances of the app_id reach this one's API; empty: the address of listen, with this machine's name where that is every interface"`
	Forward           bool          `yaml:"forward" doc:"ask the other instances of the app_id for customers that this one does not have"`
	ForwardTimeout    time.Duration `yaml:"forward_timeout" doc:"time another instance has to answer for a customer; a query that reads many customers has half of what is left of query_timeout"`
	ReadHeaderTimeout time.Duration `yaml:"read_header_timeout" doc:"time a caller has to send a request's headers"`
	ReadTimeout       time.Duration `yaml:"read_timeout" doc:"time a caller has to send a whole request"`
	QueryTimeout      time.Duration `yaml:"query_timeout" doc:"time a query may take; below write_timeout"`
	WriteTimeout      time.Duration `yaml:"write_timeout" doc:"time from a request's headers to the end of its answer"`
	IdleTimeout       time.Duration `yaml:"idle_timeout" doc:"time an idle connection is kept"`
	ShutdownTimeout   time.Duration `yaml:"shutdown_timeout" doc:"time that running requests get to end when the server stops"`
	MaxHeaderBytes    int           `yaml:"max_header_bytes" doc:"size of a request's line and headers, bytes"`
	MaxBodyBytes      int64         `yaml:"max_body_bytes" doc:"size of a request's body, bytes"`
	MaxScans          int           `yaml:"max_scans" doc:"queries that read many customers (for a past instant, as_of, all of them; for an audience, those of some items) and run at once"`
}

// DefaultConfig serves this machine only.
func DefaultConfig() Config {
	return Config{
		Listen:            "127.0.0.1:8080",
		Forward:           true,
		ForwardTimeout:    2 * time.Second,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		QueryTimeout:      20 * time.Second,
		WriteTimeout:      40 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ShutdownTimeout:   10 * time.Second,
		MaxHeaderBytes:    16 << 10,
		MaxBodyBytes:      1 << 20,
		MaxScans:          2,
	}
}

// maxTimeout bounds every time: a caller that needs longer is not served, it
// occupies.
const maxTimeout = 10 * time.Minute

// Validate reports every fault of the configuration.
func (c *Config) Validate() error {
	faults := []error{validateListen(c.Listen), validateAdvertise(c.Advertise)}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"forward_timeout", c.ForwardTimeout},
		{"read_header_timeout", c.ReadHeaderTimeout},
		{"read_timeout", c.ReadTimeout},
		{"query_timeout", c.QueryTimeout},
		{"write_timeout", c.WriteTimeout},
		{"idle_timeout", c.IdleTimeout},
		{"shutdown_timeout", c.ShutdownTimeout},
	} {
		if d.value < time.Millisecond || d.value > maxTimeout {
			faults = append(faults, fmt.Errorf("%s: %s is outside 1ms to %s", d.name, d.value, maxTimeout))
		}
	}
	if c.QueryTimeout >= c.WriteTimeout {
		faults = append(faults, fmt.Errorf("query_timeout: %s is not below write_timeout, %s: a slow query's answer could not be written",
			c.QueryTimeout, c.WriteTimeout))
	}
	for _, n := range []struct {
		name       string
		value      int64
		low, above int64
	}{
		{"max_header_bytes", int64(c.MaxHeaderBytes), 1 << 10, 1 << 20},
		{"max_body_bytes", c.MaxBodyBytes, 1 << 10, 64 << 20},
		{"max_scans", int64(c.MaxScans), 1, 64},
	} {
		if n.value < n.low || n.value > n.above {
			faults = append(faults, fmt.Errorf("%s: %d is outside %d to %d", n.name, n.value, n.low, n.above))
		}
	}
	return errors.Join(faults...)
}

// validateListen wants "host:port" with a numeric port; a host of "" is every
// interface.
func validateListen(listen string) error {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf(`listen: %q is not "host:port", such as "127.0.0.1:8080"`, listen)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("listen: port %q is outside 0 to 65535", port)
	}
	return nil
}

// validateAdvertise wants what others can connect to, or nothing.
func validateAdvertise(advertise string) error {
	if advertise == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(advertise)
	if err != nil || host == "" || wildcard(host) {
		return fmt.Errorf(`advertise: %q is not "host:port" of this machine as others see it, such as "10.0.0.7:8080"`, advertise)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("advertise: port %q is outside 1 to 65535", port)
	}
	return nil
}
