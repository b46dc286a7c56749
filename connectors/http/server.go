// Package api is the HTTP window on the scores: it answers a few questions
// from committed state, in JSON, and says nothing of its own. What the answers
// mean stands in docs/api.md and, for machines, in openapi.yaml.
//
// It has no login and no TLS: it listens on loopback unless it is told
// otherwise, and everything a caller can take (time, bytes, scans) is bounded.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

// Encoder writes the answers in their wire form, one JSON value appended to
// dst. It holds no state and serves many goroutines.
type Encoder interface {
	AppendScores(dst []byte, s *score.Scores) []byte
	AppendPopulation(dst []byte, p *score.Population) []byte
	AppendNeighbours(dst []byte, item, kind string, a []score.Affinity) []byte
	AppendTogether(dst []byte, items, unknown []string, kind string, offers []score.Offer) []byte
	AppendAudience(dst []byte, item string, ts []score.Target) []byte
	AppendModels(dst []byte, m *score.Learned) []byte
}

// Observer hears of each request answered. route is one of a fixed list of
// patterns; code is the HTTP status, or 499 where the client went away first.
type Observer interface {
	ObserveRequest(route string, code int, took time.Duration)
	// ObserveForward hears of each question to another instance, and what came of
	// it: one of a fixed list of outcomes.
	ObserveForward(outcome string)
}

// Parts are what the server is made from.
type Parts struct {
	Query    pipeline.Query
	Encoder  Encoder
	Metrics  http.Handler // answers GET /metrics; nil: there is no such endpoint
	Observer Observer     // nil: nobody listens
	Logger   *slog.Logger // nil: slog.Default()
	Cluster  Cluster      // the instances that share the work; nil: this is the only one
	Holder   Holder       // nil: the Query answers for the partitions that Cluster says are this instance's
	Copies   Copies       // nil: there are none
	Auditor  Auditor      // nil: this server has no state of its own
}

// Server is the API. Its life is Listen, then Serve once; Addr is known
// between the two.
type Server struct {
	cfg      Config
	parts    Parts
	log      *slog.Logger
	scans    *gate
	peers    *peers
	handler  http.Handler
	listener net.Listener
}

// errStopping is the cause of the contexts of requests that the shutdown cuts off.
var errStopping = errors.New("the server is stopping")

// New makes a server that does not listen yet. Query and Encoder must be
// given; the error joins the faults of cfg.
func New(cfg Config, parts Parts) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if parts.Query == nil || parts.Encoder == nil {
		return nil, errors.New("http: a server needs a Query and an Encoder")
	}
	s := &Server{cfg: cfg, parts: parts, log: parts.Logger, scans: newGate(cfg.MaxScans)}
	if s.log == nil {
		s.log = slog.Default()
	}
	if parts.Cluster == nil {
		s.parts.Holder, s.parts.Copies = nil, nil // they are for others to know
	}
	s.peers = newPeers(s.log, parts.Observer)
	s.handler = s.newHandler()
	return s, nil
}

// Handler is the whole API without the listener, for tests and for embedding.
// The limits on header, time and shutdown are the listener's.
func (s *Server) Handler() http.Handler { return s.handler }

// Listen takes the address, so that a fault of it is known before anything
// else starts. The error names the address and says what to do.
func (s *Server) Listen() error {
	l, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("http: cannot listen on %s: %w; %s", s.cfg.Listen, err, listenAdvice(err))
	}
	s.listener = l
	return nil
}

// listenAdvice says what an operator can do about a listen error.
func listenAdvice(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "stop the process that holds the port, or set http.listen to another (port 0 picks a free one)"
	case errors.Is(err, syscall.EACCES):
		return "set http.listen to a port from 1024 on, or grant the right to bind lower ones"
	default:
		return "set http.listen to an address of this machine, such as 127.0.0.1:8080"
	}
}

// Addr is the address that Listen took, with the port that was picked for
// port 0; "" before Listen.
func (s *Server) Addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Close gives back the address of a server that will not Serve, and the
// connections to other instances.
func (s *Server) Close() error {
	s.peers.close()
	if s.listener == nil {
		return nil
	}
	return s.listener.Close()
}

// Serve answers until ctx ends, then takes no more connections, lets running
// requests end within the shutdown timeout, cuts off the rest, and returns
// with every goroutine gone. It is nil after an orderly stop.
func (s *Server) Serve(ctx context.Context) error {
	if s.listener == nil {
		return errors.New("http: Serve before Listen")
	}
	defer s.peers.close()
	// Requests outlive ctx: its end begins the shutdown, it does not end them.
	base, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	srv := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: s.cfg.ReadHeaderTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		WriteTimeout:      s.cfg.WriteTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    s.cfg.MaxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return base },
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(s.listener) }()
	select {
	case err := <-ended:
		cut(errStopping)
		return errors.Join(fmt.Errorf("http: serving on %s: %w", s.Addr(), err), srv.Close())
	case <-ctx.Done():
	}
	err := s.shutdown(srv, cut)
	<-ended
	return err
}

// cutGrace is what cut-off requests get to notice and to say so.
const cutGrace = 2 * time.Second

// shutdown ends srv in two steps: politely, then by ending the requests' contexts.
func (s *Server) shutdown(srv *http.Server, cut context.CancelCauseFunc) error {
	polite, cancel := context.WithTimeout(context.Background(), s.cfg.ShutdownTimeout)
	defer cancel()
	if srv.Shutdown(polite) == nil {
		return nil
	}
	cut(errStopping)
	grace, cancel := context.WithTimeout(context.Background(), cutGrace)
	defer cancel()
	if srv.Shutdown(grace) != nil {
		_ = srv.Close() // its errors are of connections that nobody reads any more
	}
	return fmt.Errorf("http: requests still ran %s after the stop and were cut off", s.cfg.ShutdownTimeout)
}
