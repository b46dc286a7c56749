package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Repartition is the stage before the pipeline for an input that is not keyed by
// customer: it passes every record on to RepartitionTopic, as it came but for
// the key, which is then the customer's id, and for three headers in front that
// say where it was read (pipeline.OriginTopic and its like). What one customer
// did in order in one input partition stays in order. A record without a
// customer to be read (it cannot be read at all, or is about an item) keeps its
// key: the pipeline says what becomes of it.
//
// A record and the input offset behind it are committed in one transaction, so
// that for read_committed each record is there once. Whatever goes wrong ends
// the session; the next one goes on from what the group has committed.
type Repartition struct {
	app, group, topic string // whose; its own consumer group; where to
	inputName         []byte // as a header
	cfg               *Config
	dec               pipeline.Decoder
	commits           pipeline.LoopConfig
	log               *slog.Logger
	base              []kgo.Opt
	cl                *kgo.Client
	adm               *kadm.Client // over cl

	lastCommit time.Time
	denied     sync.Once // told that records may not be deleted

	mu    sync.Mutex
	stats RepartitionStats
}

// RepartitionStats is a copy of the stage's counters since its start.
type RepartitionStats struct {
	Records  uint64 // passed on, and committed
	Commits  uint64 // transactions
	Sessions uint64 // opened; more than one: an error ended the one before
	Lag      int64  // records of this process's partitions of the input that are not passed on yet
}

// ofStage ends the names of the stage's group and of its transactional ids, which else
// are the pipeline's.
const ofStage = "-repartition"

// RepartitionTopic is where the stage of an app id writes, and its pipeline reads.
func RepartitionTopic(app string) string { return app + ".repartition" }

// Repartitioned is the configuration of the pipeline behind the stage. It reads
// all that the stage has written, wherever the stage itself began.
func (c *Config) Repartitioned(app string) Config {
	behind := *c
	behind.Topic, behind.Start, behind.Repartition, behind.Partitions = RepartitionTopic(app), "earliest", false, 0
	return behind
}

// Source is where the pipeline of an app id reads: the input, or what lies behind the
// repartition stage.
func (c *Config) Source(app string) Config {
	if c.Repartition {
		return c.Repartitioned(app)
	}
	return *c
}

// NewRepartition makes the stage of an app id; it connects to nothing yet. The
// decoder is the stage's own from then on. Run must be called, and closes it.
func NewRepartition(app string, cfg *Config, dec pipeline.Decoder, commits pipeline.LoopConfig, log *slog.Logger, more ...kgo.Opt) (*Repartition, error) {
	base, err := cfg.Options()
	if err != nil {
		return nil, err
	}
	base = append(base, more...)
	// Topics are made and looked for here: what the client remembers of them must be fresh.
	cl, err := kgo.NewClient(append(slices.Clone(base), kgo.MetadataMinAge(10*time.Millisecond))...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return &Repartition{
		app: app, group: app + ofStage, topic: RepartitionTopic(app),
		inputName: []byte(cfg.Topic), cfg: cfg, dec: dec, commits: commits, log: log, base: base, cl: cl, adm: kadm.NewClient(cl),
	}, nil
}

// Stats copies the counters. It serves many goroutines.
func (r *Repartition) Stats() RepartitionStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

func (r *Repartition) count(fn func(*RepartitionStats)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fn(&r.stats)
}

const (
	reopenLeast = 100 * time.Millisecond
	reopenMost  = 10 * time.Second
)

// errPassageAborted ends a session whose transaction was aborted, for all that the
// client knows: it says so, too, where the broker's answer to a commit was none. The
// next session asks the group what is committed.
var errPassageAborted = errors.New("the transaction was aborted: the group is rebalancing")

// Run passes records on until ctx ends, session after session, and returns nil
// then, or an error that wraps pipeline.ErrFatal, when going on is useless.
func (r *Repartition) Run(ctx context.Context) error {
	defer r.adm.Close()
	var purging sync.WaitGroup
	defer purging.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	purging.Go(func() { r.purgeNowAndThen(ctx) })
	for wait := reopenLeast; ; wait = min(2*wait, reopenMost) {
		began := time.Now()
		err := r.session(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, pipeline.ErrFatal) {
			return fmt.Errorf("repartition stage: %w", err)
		}
		if time.Since(began) > time.Minute || errors.Is(err, errPassageAborted) {
			wait = reopenLeast
		}
		r.log.Warn("session of the repartition stage ended; opening another", "error", err, "wait", wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait + rand.N(wait)):
		}
	}
}

// session lives until ctx ends (nil) or something fails.
func (r *Repartition) session(ctx context.Context) error {
	p, err := r.open(ctx)
	if err != nil {
		return err
	}
	r.count(func(s *RepartitionStats) { s.Sessions++ })
	defer p.close()
	for ctx.Err() == nil {
		if err := p.transaction(ctx); err != nil {
			return err
		}
	}
	return nil
}

// transaction carries one through.
func (p *passage) transaction(ctx context.Context) error {
	if err := p.begin(); err != nil {
		return err
	}
	if err := p.collect(ctx); err != nil {
		return errors.Join(err, p.abort(ctx))
	}
	return p.commit(ctx)
}

const (
	passMost  = 8_000    // records of one poll
	passBytes = 32 << 20 // of values, at which a transaction ends

	lagEvery  = time.Second     // how often the broker is asked where partitions end
	lagWithin = 2 * time.Second // how long it may take to answer
	quietFor  = 2 * time.Second // no record for so long: what is left are control records
)

// collect polls and passes on until the commit is due: after the interval under
// load, at once when the input is quiet.
func (p *passage) collect(ctx context.Context) error {
	interval := p.r.commits.CommitInterval
	due := p.r.lastCommit.Add(interval)
	left := p.r.commits.MaxRecords
	for {
		wait := time.Until(due)
		if wait <= 0 {
			if wait = interval; len(p.next) > 0 {
				return nil
			}
		}
		recs, err := p.poll(ctx, wait, min(left, passMost))
		if err != nil {
			return err
		}
		if err := p.pass(recs); err != nil {
			return err
		}
		p.observeLag(ctx, len(recs))
		left -= len(recs)
		if ctx.Err() != nil || left <= 0 || len(recs) == 0 || !time.Now().Before(due) || p.bytes > passBytes {
			return nil
		}
	}
}

// observeLag learns now and then where the input's partitions end. What stands
// before the end when nothing has come for long are control records.
func (p *passage) observeLag(ctx context.Context, came int) {
	if came > 0 {
		p.heard = time.Now()
	}
	if time.Since(p.lagAt) < lagEvery {
		return
	}
	p.lagAt = time.Now()
	ctx, cancel := context.WithTimeout(ctx, lagWithin)
	defer cancel()
	ends, err := p.r.adm.ListCommittedOffsets(ctx, p.r.cfg.Topic)
	if err != nil {
		p.r.log.Debug("the input's ends are not known", "error", err)
		return
	}
	lag := int64(0)
	if time.Since(p.heard) < quietFor {
		lag = p.behind(ends)
	}
	p.r.count(func(s *RepartitionStats) { s.Lag = lag })
}
