package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/connectors/encode"
	api "github.com/dangol-dev/dangol/connectors/http"
	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/connectors/metrics"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/state"
)

// engine is everything that "run" and "demo" start: state, core, API, and the
// loop over Kafka.
type engine struct {
	cfg     *Config
	log     *slog.Logger
	store   *state.Store
	core    *pipeline.Core
	server  *api.Server
	metrics *metrics.Metrics
	members *kafka.Members
	foreign bool // the brokers are somebody else's: what they are set to is looked at first
}

// core is the part of the configuration that the pipeline works by.
func (c *Config) core() pipeline.Config {
	return pipeline.Config{
		Ledger: c.Ledger, Score: c.Score, Basket: c.Basket, NextBest: c.NextBest,
		Zone: c.location(), Topic: c.Input.Kafka.Topic, Late: c.Late, Clock: c.Clock,
		ClockLag: c.Ledger.Lateness, FutureSkew: c.FutureSkew, Sweep: sweep,
	}
}

// sweep is how many customers of a partition are scored again in a transaction
// after the models have moved: a million on twelve partitions take ten minutes.
const sweep = 16

// newDecoder makes one decoder a call.
func (c *Config) newDecoder() (pipeline.Decoder, error) {
	d, err := decode.NewJSON(c.Decode)
	if err != nil {
		return nil, err
	}
	d.Hold = true
	return d, nil
}

// newEngine opens the state and listens; nothing is processed yet.
func newEngine(cfg *Config, log *slog.Logger) (*engine, error) {
	store, err := state.Open(cfg.State, nil, stateLog(log))
	if err != nil {
		return nil, err
	}
	e := &engine{cfg: cfg, log: log, store: store}
	e.core = pipeline.NewCore(cfg.core(), store, encode.JSON{}, cfg.newDecoder, time.Now)
	e.metrics = metrics.New(e.core.Stats)
	if err := e.listen(); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return e, nil
}

// listen opens the API, and tells the other instances where it is.
func (e *engine) listen() (err error) {
	in := &e.cfg.Input.Kafka
	if e.members, err = kafka.OpenMembers(e.cfg.AppID, in); err != nil {
		return err
	}
	e.server, err = api.New(e.cfg.HTTP, api.Parts{
		Query: e.core, Encoder: encode.JSON{}, Metrics: e.metrics.Handler(), Observer: e.metrics, Logger: e.log,
		Cluster: cluster{e.members, in.Instance}, Holder: e.core, Copies: e.core, Auditor: e.core,
	})
	if err == nil {
		err = e.server.Listen()
	}
	if err != nil {
		e.members.Close()
		return err
	}
	in.Advertise = e.server.Advertise()
	return nil
}

// run works until ctx ends or something cannot go on, then brings the state to
// disk.
func (e *engine) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	loop := &pipeline.Loop{
		Core: e.core, Cfg: e.cfg.Loop, Now: time.Now, Log: e.log,
		Share: func(ctx context.Context) (pipeline.SharedLog, error) {
			return kafka.OpenShared(ctx, e.cfg.AppID, &e.cfg.Input.Kafka, e.log)
		},
		Open: func(ctx context.Context, keeper pipeline.Keeper) (pipeline.Session, error) {
			return kafka.Open(ctx, e.cfg.AppID, &e.cfg.Input.Kafka, keeper, e.log)
		},
	}
	group.Go(func() error {
		if e.foreign {
			if err := claim(ctx, e.cfg, e.log); err != nil {
				return err
			}
		}
		return loop.Run(ctx)
	})
	group.Go(func() error { return e.server.Serve(ctx) })
	group.Go(func() error { e.flush(ctx); return nil })
	err := group.Wait()
	e.core.Close()
	e.members.Close()
	if closeErr := e.store.Close(); closeErr != nil {
		err = errors.Join(err, fmt.Errorf("close state: %w", closeErr))
	}
	return err
}

// flushEvery bounds what a restart after a kill must read back.
const flushEvery = time.Minute

// flush brings the state to disk now and then.
func (e *engine) flush(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := e.store.Flush(); err != nil {
				e.log.Error("state cannot be brought to disk; a restart will read more of the changelog", "error", err)
			}
		}
	}
}

// stateLog tells of what the store meets by itself.
func stateLog(log *slog.Logger) state.Observer {
	return state.Observer{
		BackgroundError: func(err error) {
			log.Error("state cannot be written; it is retried, and memory fills up", "error", err)
		},
		WriteStall: func(begin bool, reason string) {
			if begin {
				log.Warn("state writes wait for the disk", "reason", reason)
			}
		},
	}
}
