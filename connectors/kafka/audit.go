package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Audit reads what an application has in Kafka without being part of it: it joins
// no group and writes nothing, but for Save.
type Audit struct {
	app    string
	cfg    *Config
	cl     *kgo.Client
	adm    *kadm.Client
	shared *Shared
	topics map[pipeline.Topic]*fetcher
	parts  int
	id     uint64
}

// auditFetch is bytes of one fetch, about.
const auditFetch = 4 << 20

// OpenAudit connects. The application's topics must be there. What it calls the input
// is what the pipeline reads: Config.Source.
func OpenAudit(ctx context.Context, app string, c *Config, log *slog.Logger) (*Audit, error) {
	source := c.Source(app)
	cfg := &source
	opts, err := cfg.Options()
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	a := &Audit{app: app, cfg: cfg, cl: cl, adm: kadm.NewClient(cl), topics: map[pipeline.Topic]*fetcher{}}
	a.shared = &Shared{app: app, cfg: cfg, log: log, cl: cl, side: cl, adm: a.adm}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if err := a.open(ctx); err != nil {
		cl.Close()
		return nil, err
	}
	return a, nil
}

func (a *Audit) open(ctx context.Context) error {
	for _, t := range []pipeline.Topic{pipeline.Changelog, pipeline.Pairs, pipeline.Population, pipeline.Scores, pipeline.Changes} {
		name := TopicName(a.app, t)
		if _, _, err := describe(ctx, a.cl, name); err != nil {
			if errors.Is(err, kerr.UnknownTopicOrPartition) {
				err = fmt.Errorf("topic %q does not exist: nothing has run under app_id %q on these brokers, or it was deleted", name, a.app)
			}
			return err
		}
		f, n, err := newFetcher(ctx, a.cl, name, kgo.ReadCommitted(), auditFetch)
		if err != nil {
			return err
		}
		a.topics[t] = f
		if t == pipeline.Changelog {
			a.parts = n
		}
	}
	m, in, err := describe(ctx, a.cl, a.cfg.Topic)
	if err != nil {
		return err
	}
	if n := len(in.Partitions); n != a.parts {
		return errors.New(repartitioned(TopicName(a.app, pipeline.Changelog), a.parts, a.cfg.Topic, n))
	}
	cluster := ""
	if m.ClusterID != nil {
		cluster = *m.ClusterID
	}
	a.id = identity(cluster, a.app)<<32 | identity(kadm.TopicID(in.TopicID).String(), a.topics[pipeline.Changelog].id.String())
	return a.shared.attach(ctx)
}

// Close ends the connection.
func (a *Audit) Close() { a.cl.Close() }

// Partitions is how many the changelog and the input have.
func (a *Audit) Partitions() int32 { return int32(a.parts) }

// Identity is Assignment.Identity of the partitions' state.
func (a *Audit) Identity() uint64 { return a.id }

// Members are the group's, by instance.
func (a *Audit) Members(ctx context.Context) ([]Member, error) {
	now, _, err := newMembers(a.adm, a.app, a.cfg).ask(ctx)
	return now.members, err
}

// Committed are the group's offsets, of the partitions that have one.
func (a *Audit) Committed(ctx context.Context) (map[int32]int64, error) {
	return committedOffsets(ctx, a.adm, a.app, a.cfg.Topic)
}

// committedOffsets are a group's offsets of a topic, of the partitions that have one.
func committedOffsets(ctx context.Context, adm *kadm.Client, group, topic string) (map[int32]int64, error) {
	all, err := adm.FetchOffsets(ctx, group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, fmt.Errorf("offsets of group %q: %w", group, err)
	}
	at := map[int32]int64{}
	for p, o := range all[topic] {
		if o.Err != nil {
			return nil, fmt.Errorf("offsets of group %q: %w", group, o.Err)
		}
		if o.At >= 0 {
			at[p] = o.At
		}
	}
	return at, nil
}

// Bounds are offsets of a partition.
type Bounds struct {
	Start  int64 // of the first record that is kept
	Stable int64 // below it, every transaction has ended
	End    int64 // after the last record
}

// Input are the bounds of the input's partitions.
func (a *Audit) Input(ctx context.Context) ([]Bounds, error) { return a.bounds(ctx, a.cfg.Topic) }

// Bounds are those of a topic's partitions.
func (a *Audit) Bounds(ctx context.Context, t pipeline.Topic) ([]Bounds, error) {
	return a.bounds(ctx, a.topics[t].topic)
}

func (a *Audit) bounds(ctx context.Context, topic string) ([]Bounds, error) {
	var bs []Bounds
	asks := []func(context.Context, ...string) (kadm.ListedOffsets, error){a.adm.ListStartOffsets, a.adm.ListCommittedOffsets, a.adm.ListEndOffsets}
	for i, ask := range asks {
		listed, err := ask(ctx, topic)
		if err == nil {
			err = listed.Error()
		}
		if err != nil {
			return nil, fmt.Errorf("offsets of %s: %w", topic, err)
		}
		if bs == nil {
			bs = make([]Bounds, len(listed[topic]))
		}
		for p := range bs {
			o, ok := listed.Lookup(topic, int32(p))
			if !ok {
				return nil, fmt.Errorf("offsets of %s: no answer for partition %d", topic, p)
			}
			*[]*int64{&bs[p].Start, &bs[p].Stable, &bs[p].End}[i] = o.Offset
		}
	}
	return bs, nil
}

// Snapshot calls fn with the parts of the latest snapshot of what is shared from
// which the log goes on, and returns from where. With lax, one will do that it does
// not go on from, and at is where the log begins.
func (a *Audit) Snapshot(ctx context.Context, lax bool, fn func(part []byte) error) (at map[int32]int64, err error) {
	s := a.shared
	starts, ends, err := s.look(ctx)
	if err != nil {
		return nil, err
	}
	g, err := s.choose(starts, ends)
	at = starts
	if g != nil {
		at = g.offsets(s.parts)
	}
	if all := s.snaps.complete(); err != nil && lax {
		if err = nil; len(all) > 0 {
			g = all[0]
		}
	}
	if err != nil || g == nil {
		return at, err
	}
	return at, s.snaps.read(ctx, g, fn)
}

// Save stores a snapshot in the place of all there are: of another way to count
// they are of no use.
func (a *Audit) Save(ctx context.Context, at map[int32]int64, write func(emit func(part []byte) error) error) error {
	s := a.shared
	if err := s.snaps.scan(ctx); err != nil {
		return err
	}
	w, err := s.newWriter(ctx)
	if err != nil {
		return err
	}
	defer w.cl.Close()
	if err = write(w.emit); err == nil {
		err = w.finish(manifest{Version: manifestVersion, Log: s.pairs.id.String(), At: at})
	}
	if err == nil {
		for _, g := range s.snaps.by { // as they were before this one
			w.drop(g)
		}
		err = w.flush()
	}
	if err != nil {
		return fmt.Errorf("snapshot to %s: %w", w.topic, err)
	}
	return nil
}

// IsBarrier says of a key of the changelog that its record is no state, but one
// that a restore has written to know where the log ended.
func IsBarrier(key []byte) bool { return bytes.Equal(key, barrierKey) }

// TokenOf names the session that wrote a record of the changelog outside a
// transaction, as delivery at least once does; nil for any other record.
func TokenOf(r *kgo.Record) []byte { return tokenOf(r) }
