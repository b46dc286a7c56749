package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/dangol-dev/dangol/connectors/encode"
	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

// kept is state that can be looked at: a directory's or the changelog's.
type kept interface {
	partitions() ([]int32, error)
	position(p int32) (pipeline.Position, bool, error)
	// each calls fn with every key of a partition, in order.
	each(p int32, fn func(key, val []byte, due int64) error) error
	// whose says in words whose state a position is of.
	whose(pos pipeline.Position) string
	close() error
}

// open opens what the options name.
func (o *inspectOptions) open(ctx context.Context) (kept, error) {
	if o.from != fromState && o.from != fromChangelog {
		return nil, fmt.Errorf("--from %q: want state or changelog", o.from)
	}
	if o.timers < 0 {
		return nil, errors.New("--timers: want a number above 0")
	}
	var cfg *Config
	if o.config != "" || len(o.sets) > 0 {
		var err error
		if cfg, err = loadConfig(o.config, o.sets); err != nil {
			return nil, err
		}
	}
	if o.from == fromChangelog {
		if cfg == nil {
			return nil, errors.New("no configuration given: dangol inspect -c FILE --from changelog")
		}
		return openLogKept(ctx, cfg)
	}
	dir := o.dir
	if dir == "" && cfg != nil {
		dir = cfg.State.Dir
	}
	if dir == "" {
		return nil, errors.New("no state directory given: dangol inspect --state DIR, or -c FILE")
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	sc := state.DefaultConfig()
	sc.Dir = dir
	store, err := state.Open(sc, nil, state.Observer{})
	if errors.Is(err, state.ErrInUse) {
		err = fmt.Errorf("%w; or read the topic: dangol inspect -c FILE --from changelog", err)
	}
	if err != nil {
		return nil, err
	}
	return storeKept{store}, nil
}

// storeKept is a state directory.
type storeKept struct{ store *state.Store }

func (k storeKept) partitions() ([]int32, error) { return k.store.Partitions() }

func (k storeKept) position(p int32) (pos pipeline.Position, ok bool, err error) {
	b, ok, err := k.store.Position(p)
	if err == nil && ok {
		pos, err = pipeline.DecodePosition(b)
	}
	return pos, ok, err
}

func (k storeKept) each(p int32, fn func(key, val []byte, due int64) error) error {
	return k.store.Scan(p, nil, fn)
}

func (k storeKept) whose(pos pipeline.Position) string {
	return fmt.Sprintf("of application %08x, topics %08x", pos.Identity>>32, uint32(pos.Identity))
}

func (k storeKept) close() error { return k.store.Close() }

// logKept is the changelog, of which one partition at a time is held.
type logKept struct {
	ctx context.Context
	v   *verifier
	now *replayed // nil: none has been read
}

func openLogKept(ctx context.Context, cfg *Config) (kept, error) {
	audit, err := kafka.OpenAudit(ctx, cfg.AppID, &cfg.Input.Kafka, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	v := newVerifier(cfg, audit)
	if v.changelog, err = audit.Bounds(ctx, pipeline.Changelog); err != nil {
		audit.Close()
		return nil, err
	}
	v.ends = v.changelog
	return &logKept{ctx: ctx, v: v}, nil
}

// read makes a partition the present one.
func (k *logKept) read(p int32) (err error) {
	if k.now == nil || k.now.partition != p {
		k.now, err = k.v.replay(k.ctx, p, 0)
	}
	if err == nil && k.v.count() > 0 {
		err = errors.New("the changelog is damaged: dangol verify says where")
	}
	return err
}

func (k *logKept) partitions() ([]int32, error) {
	var ps []int32
	for p := range k.v.audit.Partitions() {
		if k.v.changelog[p].End > 0 {
			ps = append(ps, p)
		}
	}
	return ps, nil
}

func (k *logKept) position(p int32) (pipeline.Position, bool, error) {
	if err := k.read(p); err != nil {
		return pipeline.Position{}, false, err
	}
	pos := k.now.last
	pos.Changelog = k.now.read
	if pos.Identity == 0 {
		pos.Identity = k.v.audit.Identity()
	}
	return pos, k.now.commits > 0, nil
}

func (k *logKept) each(p int32, fn func(key, val []byte, due int64) error) error {
	if err := k.read(p); err != nil {
		return err
	}
	keys := make([]string, 0, len(k.now.keys))
	for key, e := range k.now.keys {
		if e.val != nil {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, strings.Compare)
	for _, key := range keys {
		e := k.now.keys[key]
		if err := fn([]byte(key), e.val, e.due); err != nil {
			return err
		}
	}
	return nil
}

func (k *logKept) whose(pipeline.Position) string {
	return fmt.Sprintf("of app_id %s, input %s", k.v.cfg.AppID, k.v.cfg.source().Topic)
}

func (k *logKept) close() error { k.v.audit.Close(); return nil }

// eachFacts calls fn with the facts' bytes of every customer.
func eachFacts(k kept, parts []int32, fn func(id string, facts []byte, version uint64) error) error {
	var em score.Emission
	for _, p := range parts {
		err := k.each(p, func(key, val []byte, _ int64) error {
			id, ok := pipeline.CustomerOf(key)
			if !ok {
				return nil
			}
			facts, emission, err := pipeline.SplitCustomer(val)
			if err == nil {
				err = em.Decode(emission)
			}
			if err != nil {
				return fmt.Errorf("customer %q: %w", id, err)
			}
			return fn(string(id), facts, em.Version)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// factsWriter writes a customer a line.
func factsWriter(w io.Writer) func(id string, facts []byte, version uint64) error {
	return func(id string, facts []byte, version uint64) error {
		line, err := json.Marshal(struct {
			ID      string `json:"customer_id"`
			Version uint64 `json:"version"`
			Facts   string `json:"facts"`
		}{id, version, hex.EncodeToString(facts)})
		if err != nil {
			return err
		}
		_, err = w.Write(append(line, '\n'))
		return err
	}
}

// scoresWriter writes a document a line.
func scoresWriter(w io.Writer) func(*score.Scores) error {
	var line []byte
	return func(doc *score.Scores) error {
		line = append(encode.JSON{}.AppendScores(line[:0], doc), '\n')
		_, err := w.Write(line)
		return err
	}
}
