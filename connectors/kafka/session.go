package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Session is a pipeline.Session over a franz-go group transact session, or, where
// delivery is at least once, over a plain client: see endLeast.
//
// What is not obvious, each once a bug in somebody's code:
//   - The producer id is taken before the first poll, so that a predecessor
//     killed in a transaction does not hold the offsets until it times out.
//   - Every touched partition's offset goes into the transaction, also when it
//     polled nothing and only timers fired: else the group does not validate
//     the member, and one already replaced could commit.
//   - An error from End says nothing about the transaction. The session is
//     dead; its successor asks the broker what is committed.
//   - End's context is cancelled only to stop, and then the session with it.
//   - After a non-empty revocation the client does not tell of the next one until
//     End. What is ours is checked against what the client holds, not against what
//     it told.
//   - After a commit the client takes for committed all that it gave us. What it
//     gave us and we did not hand out is not; so after an abort we tell it where each
//     partition stands.
type Session struct {
	app       string
	cfg       *Config
	id        uint64                    // pipeline.Assignment.Identity
	aux       *kgo.Client               // for all that is not the group's
	adm       *kadm.Client              // over aux
	gs        *kgo.GroupTransactSession // nil where delivery is at least once
	reloads   reloads                   // of gs
	group     *kgo.Client               // of gs, or alone
	token     []byte                    // names this session in the changelog
	least     bool                      // delivery is at least once
	keeper    pipeline.Keeper
	input     *fetcher
	changelog *changelog
	members   *Members
	log       *slog.Logger
	topics    [pipeline.Population + 1]string

	partitions int // of the changelog, and so of the input

	life    context.Context // of the work in the background
	die     context.CancelFunc
	working sync.WaitGroup
	fencing chan struct{} // one at a time ends what the dead have left open
	look    chan struct{} // that the group may have changed

	mu       sync.Mutex
	parts    map[int32]*assigned // that the group gave us
	tasks    map[int32]*task     // the latest of each partition, ours or not
	handed   []int32             // what Assigned said
	failed   error               // of a restore, surfaced by the next Poll
	wakePoll context.CancelFunc

	waiting waiting
	polled  []*kgo.Record // handed out; to recycle once the transaction has ended
	out     block
	kept    [][]pipeline.Output      // of a transaction that is none: what Produce was given
	promise func(*kgo.Record, error) // s.produced, bound once
	outErr  error
	outMu   sync.Mutex
}

const (
	fetchWait  = 500 * time.Millisecond // that a broker may hold a fetch: so long may partitions wait that come after it
	soon       = 20 * time.Millisecond  // in which the client takes up what the group has just given
	openWithin = 30 * time.Second       // for the broker to answer at the start
	grace      = 10 * time.Second       // for it to answer at the end

	unhideWithin = 300 * time.Millisecond // that the group waits for unhide
)

// Assigned implements pipeline.Session.
func (s *Session) Assigned() []int32 {
	ps := s.active()
	s.mu.Lock()
	s.handed = ps
	s.mu.Unlock()
	return slices.Clone(ps)
}

// fatal marks an error that another session would meet again.
func (s *Session) fatal(err error) error {
	if errors.Is(err, kerr.FencedInstanceID) {
		return fmt.Errorf("%w: another process runs as instance %q of this app_id; give each its own input.instance: %w", pipeline.ErrFatal, s.cfg.Instance, err)
	}
	return err
}

// Close implements pipeline.Session.
func (s *Session) Close() {
	s.die()
	if s.group != nil {
		s.seat().close(s.group)
	}
	if s.aux != nil {
		s.aux.Close() // before the wait: a barrier that was sent is waited for until the broker answers, whatever its context says
	}
	s.working.Wait()
}
