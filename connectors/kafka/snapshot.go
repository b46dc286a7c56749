package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

const (
	// mostPart is bytes of a part, with room for a record's frame below what brokers
	// take by default.
	mostPart = 1_000_000 - 4096
	// saveAhead is bytes of parts that wait for the broker's answer.
	saveAhead = 4 << 20
	// orphaned is the age at which parts without a manifest are taken for those of a
	// writer that died.
	orphaned = time.Hour
)

// Save implements pipeline.SharedLog. If it fails, the snapshots before are what
// they were. Clearing away what is older than the one before may fail without
// that: the next Save makes up for it.
func (s *Shared) Save(ctx context.Context, at map[int32]int64, write func(emit func(part []byte) error) error) (err error) {
	defer func() {
		if err != nil {
			s.log.Warn("a snapshot could not be written; it is made again", "error", err)
		}
	}()
	w, err := s.newWriter(ctx)
	if err != nil {
		return err
	}
	defer w.cl.Close()
	err = write(w.emit)
	if err == nil {
		err = w.finish(manifest{Version: manifestVersion, Log: s.pairs.id.String(), At: at})
	}
	if err != nil {
		return fmt.Errorf("snapshot to %s: %w", w.topic, err)
	}
	if err := s.tidy(ctx, w); err != nil {
		s.log.Warn("old snapshots could not be cleared away; the next one makes up for it", "topic", w.topic, "error", err)
	}
	return nil
}

// writer writes one generation.
type writer struct {
	ctx   context.Context
	cl    *kgo.Client
	topic string
	id    string
	sum   checksum
	parts int
	bytes int64

	mu  sync.Mutex
	err error // of a record that was refused
}

func (s *Shared) newWriter(ctx context.Context) (*writer, error) {
	opts, err := s.cfg.Options()
	if err != nil {
		return nil, err
	}
	// Idempotent, so that a part that is sent again is there once, and in order.
	cl, err := kgo.NewClient(append(append(opts, s.more...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MaxBufferedBytes(saveAhead), kgo.ProducerBatchCompression(kgo.SnappyCompression()))...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return &writer{
		ctx: ctx, cl: cl, topic: s.snaps.f.topic, id: fmt.Sprintf("%016x", rand.Uint64()), sum: checksum{h: *xxhash.New()},
	}, nil
}

// emit sends a part. Its bytes may be used again.
func (w *writer) emit(part []byte) error {
	if len(part) > mostPart {
		return fmt.Errorf("a part of %d bytes: the most is %d", len(part), mostPart)
	}
	if w.parts == mostParts {
		return fmt.Errorf("more than %d parts", mostParts)
	}
	w.sum.add(xxhash.Sum64(part))
	w.send(partName(w.id, w.parts), append(make([]byte, 0, len(part)), part...))
	w.parts++
	w.bytes += int64(len(part))
	return w.failed()
}

func (w *writer) send(key, value []byte) {
	w.cl.Produce(w.ctx, &kgo.Record{Topic: w.topic, Key: key, Value: value}, func(_ *kgo.Record, err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.err == nil {
			w.err = err
		}
	})
}

func (w *writer) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// flush waits for the broker's answer to everything sent.
func (w *writer) flush() error {
	if err := w.cl.Flush(w.ctx); err != nil {
		return err
	}
	return w.failed()
}

// finish makes the generation count.
func (w *writer) finish(m manifest) error {
	if err := w.flush(); err != nil {
		return err
	}
	m.Parts, m.Bytes, m.Checksum = w.parts, w.bytes, w.sum.String()
	value, err := json.Marshal(m)
	if err != nil {
		return err
	}
	w.send([]byte(manifestPrefix+w.id), value)
	return w.flush()
}

// tidy drops all but the two newest snapshots, and the log before both.
func (s *Shared) tidy(ctx context.Context, w *writer) error {
	if err := s.snaps.scan(ctx); err != nil {
		return err
	}
	kept := s.snaps.complete()
	kept = kept[:min(2, len(kept))]
	for _, g := range s.snaps.by {
		alive := g.Version == 0 && time.Since(g.latest) < orphaned // somebody may be writing it
		if !slices.Contains(kept, g) && !alive {
			w.drop(g)
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	if len(kept) == 2 {
		s.trim(ctx, kept[0], kept[1])
	}
	return nil
}

// drop deletes a generation, so that none ever has a manifest and not its parts.
func (w *writer) drop(g *generation) {
	if g.Version != 0 {
		w.send([]byte(manifestPrefix+g.id), nil)
	}
	for i, p := range g.sums {
		if p.is {
			w.send(partName(g.id, i), nil)
		}
	}
}

// trim deletes what both snapshots have read of the log. Without the right to do
// so the log grows, and nothing else is wrong.
func (s *Shared) trim(ctx context.Context, newest, before *generation) {
	a, b := newest.offsets(s.parts), before.offsets(s.parts)
	starts, err := s.starts(ctx)
	to := kadm.Offsets{}
	for p, at := range a {
		if at = min(at, b[p]); at > starts[p] {
			to.AddOffset(s.pairs.topic, p, at, -1)
		}
	}
	if err == nil && len(to) > 0 {
		var answers kadm.DeleteRecordsResponses
		answers, err = s.adm.DeleteRecords(ctx, to)
		for _, a := range slices.Collect(maps.Values(answers[s.pairs.topic])) {
			err = errors.Join(err, a.Err)
		}
	}
	switch {
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		s.noTrim.Do(func() {
			s.log.Warn("the right to delete records is missing, so the topic grows without end: allow the operation Delete on it",
				"topic", TopicName(s.app, pipeline.Pairs))
		})
	case err != nil && !errors.Is(err, kerr.OffsetOutOfRange): // another has trimmed it further
		s.log.Warn("the shared log could not be trimmed; the next snapshot makes up for it", "topic", s.pairs.topic, "error", err)
	}
}
