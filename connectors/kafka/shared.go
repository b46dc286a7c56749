package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Shared is a pipeline.SharedLog: the topic of pairs, which each session's
// transactions write and every process reads whole, and the topic of its
// snapshots. After an error of Poll, Load begins anew.
type Shared struct {
	app   string
	cfg   *Config
	more  []kgo.Opt // of every client
	log   *slog.Logger
	cl    *kgo.Client
	side  *kgo.Client // for snapshots: a broker answers what it is asked on a connection in turn, and a fetch of the log waits
	adm   *kadm.Client
	pairs *fetcher
	parts int // of pairs
	snaps *snapshots

	noTrim sync.Once // says that the right to trim is missing

	stop context.CancelFunc // ends the reading
	done chan struct{}      // closed when it has ended

	mu     sync.Mutex
	room   *sync.Cond
	next   map[int32]int64 // where the reading goes on
	queue  []pipeline.SharedRecord
	moved  map[int32]int64 // next of the partitions that went on since the latest Poll
	held   int             // bytes of queue
	failed error
	given  []pipeline.SharedRecord // by the latest Poll; its memory serves the next but one
}

// OpenShared connects and makes sure of the topics. Nothing is read before Load.
func OpenShared(ctx context.Context, app string, cfg *Config, log *slog.Logger, more ...kgo.Opt) (*Shared, error) {
	opts, err := cfg.Options()
	if err != nil {
		return nil, err
	}
	opts = append(opts, more...)
	cl, err := kgo.NewClient(append(slices.Clone(opts), kgo.FetchMaxWait(fetchWait))...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	side, err := kgo.NewClient(opts...)
	if err != nil {
		cl.Close()
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	s := &Shared{app: app, cfg: cfg, more: more, log: log, cl: cl, side: side, adm: kadm.NewClient(side)}
	s.room = sync.NewCond(&s.mu)
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Shared) open(ctx context.Context) error {
	// Not by s.adm, which would know for a while that topics just made are not there.
	if err := EnsureTopics(ctx, kadm.NewClient(s.cl), s.app, s.cfg); err != nil {
		return err
	}
	return s.attach(ctx)
}

// attach learns the topics, which are there.
func (s *Shared) attach(ctx context.Context) (err error) {
	s.pairs, s.parts, err = newFetcher(ctx, s.cl, TopicName(s.app, pipeline.Pairs), kgo.ReadCommitted(), sharedFetch)
	if err != nil {
		return err
	}
	f, n, err := newFetcher(ctx, s.side, TopicName(s.app, pipeline.Population), kgo.ReadUncommitted(), sharedFetch)
	if err != nil {
		return err
	}
	if n != 1 {
		return fmt.Errorf("%w: topic %q has %d partitions, it must have one: delete it while no instance runs; it is made anew, "+
			"and snapshots are in it again soon", pipeline.ErrFatal, f.topic, n)
	}
	s.snaps = &snapshots{f: f, by: map[string]*generation{}}
	return nil
}

// look finds the snapshots, and where the log begins and ends. In this order: a log
// that is trimmed meanwhile is trimmed for the sake of snapshots that the scan finds,
// and the newest of them has not read beyond the end.
func (s *Shared) look(ctx context.Context) (starts, ends map[int32]int64, err error) {
	if starts, err = s.starts(ctx); err != nil {
		return nil, nil, err
	}
	if err = s.snaps.scan(ctx); err != nil {
		return nil, nil, err
	}
	ends, err = s.Ends(ctx)
	return starts, ends, err
}

// Load implements pipeline.SharedLog.
func (s *Shared) Load(ctx context.Context, fn func(part []byte) error) (map[int32]int64, error) {
	s.halt()
	starts, ends, err := s.look(ctx)
	if err != nil {
		return nil, err
	}
	g, err := s.choose(starts, ends)
	if err != nil {
		return nil, err
	}
	at := starts
	if g != nil {
		if err := s.snaps.read(ctx, g, fn); err != nil {
			return nil, err
		}
		at = g.offsets(s.parts)
	}
	s.begin(at)
	return maps.Clone(at), nil
}

// starts are the first offsets of the log, by partition.
func (s *Shared) starts(ctx context.Context) (map[int32]int64, error) {
	listed, err := s.adm.ListStartOffsets(ctx, s.pairs.topic)
	var starts map[int32]int64
	if err == nil {
		starts, err = s.offsets(listed)
	}
	if err != nil {
		return nil, fmt.Errorf("start of %s: %w", s.pairs.topic, err)
	}
	return starts, nil
}

// choose is the newest snapshot that is whole and from which the log goes on, nil
// if there has been none.
func (s *Shared) choose(starts, ends map[int32]int64) (*generation, error) {
	why := ""
	for _, g := range s.snaps.complete() {
		at := g.offsets(s.parts)
		switch p, bad := outside(at, starts, ends); {
		case g.Log != s.pairs.id.String():
			why = fmt.Sprintf("it was deleted and made anew since the snapshot %s in %s", g.id, s.snaps.f.topic)
		case bad && at[p] < starts[p]:
			why = fmt.Sprintf("partition %d begins at offset %d, the snapshot %s in %s ends at %d; what was between was deleted", p, starts[p], g.id, s.snaps.f.topic, at[p])
		case bad:
			why = fmt.Sprintf("partition %d ends at offset %d, the snapshot %s in %s has read it to %d; its end was lost", p, ends[p], g.id, s.snaps.f.topic, at[p])
		default:
			return g, nil
		}
	}
	if why == "" {
		p, bad := outside(make(map[int32]int64), starts, ends)
		if !bad {
			return nil, nil
		}
		why = fmt.Sprintf("partition %d begins at offset %d, and no whole snapshot of what was before is in %s", p, starts[p], s.snaps.f.topic)
	}
	return nil, fmt.Errorf("%w: the log %s has lost records: %s. Bring the topic back from a backup; "+
		"or stop all instances and run \"dangol rebuild\", which counts again from the changelog",
		pipeline.ErrFatal, s.pairs.topic, why)
}

// outside finds a partition whose offset the log does not have.
func outside(at, starts, ends map[int32]int64) (int32, bool) {
	for p, start := range starts {
		if at[p] < start || at[p] > ends[p] {
			return p, true
		}
	}
	return 0, false
}

// Ends implements pipeline.SharedLog.
func (s *Shared) Ends(ctx context.Context) (map[int32]int64, error) {
	listed, err := s.adm.ListCommittedOffsets(ctx, s.pairs.topic)
	var ends map[int32]int64
	if err == nil {
		ends, err = s.offsets(listed)
	}
	if err != nil {
		return nil, fmt.Errorf("end of %s: %w", s.pairs.topic, err)
	}
	return ends, nil
}

// offsets wants one of each partition.
func (s *Shared) offsets(listed kadm.ListedOffsets) (map[int32]int64, error) {
	at := map[int32]int64{}
	for p := range int32(s.parts) {
		o, ok := listed.Lookup(s.pairs.topic, p)
		if !ok {
			return nil, fmt.Errorf("no answer for partition %d", p)
		}
		if o.Err != nil {
			return nil, fmt.Errorf("partition %d: %w", p, o.Err)
		}
		at[p] = o.Offset
	}
	return at, nil
}

// Poll implements pipeline.SharedLog.
func (s *Shared) Poll() ([]pipeline.SharedRecord, map[int32]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.given)
	s.given, s.queue = s.queue, s.given[:0]
	at := s.moved
	s.moved, s.held = map[int32]int64{}, 0
	s.room.Broadcast()
	if len(s.given) == 0 && len(at) == 0 {
		return nil, nil, s.failed
	}
	return s.given, at, nil
}

// Close implements pipeline.SharedLog.
func (s *Shared) Close() {
	s.halt()
	s.cl.Close()
	s.side.Close()
}
