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
	foreign bool               // the brokers' settings are to be looked at: they are somebody else's
	damaged <-chan error       // of the state's files, met while they are in use
	stage   *kafka.Repartition // nil: the input is keyed by customer
}

// core is the part of the configuration that the pipeline works by.
func (c *Config) core() pipeline.Config {
	return pipeline.Config{
		Ledger: c.Ledger, Score: c.Score, Basket: c.Basket, NextBest: c.NextBest,
		Zone: c.location(), Topic: c.source().Topic, Late: c.Late, Clock: c.Clock,
		ClockLag: c.Ledger.Lateness, FutureSkew: c.FutureSkew, Sweep: sweep,
	}
}

// source is where the pipeline itself reads.
func (c *Config) source() kafka.Config { return c.Input.Kafka.Source(c.AppID) }

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
	damaged := make(chan error, 1)
	store, err := openState(cfg.State, log, damaged)
	if err != nil {
		return nil, err
	}
	e := &engine{cfg: cfg, log: log, store: store, damaged: damaged}
	e.core = pipeline.NewCore(cfg.core(), store, encode.JSON{}, cfg.newDecoder, time.Now)
	e.metrics = metrics.New(e.core.Stats)
	if err := e.listen(); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return e, nil
}

// listen opens the API, and tells the other instances where it is.
func (e *engine) listen() (err error) {
	in, source := &e.cfg.Input.Kafka, e.cfg.source()
	if e.members, err = kafka.OpenMembers(e.cfg.AppID, &source); err != nil {
		return err
	}
	e.server, err = api.New(e.cfg.HTTP, api.Parts{
		Query: e.core, Encoder: encode.JSON{}, Metrics: e.metrics.Handler(), Observer: e.metrics, Logger: e.log,
		Cluster: cluster{e.members, e.core, in.Instance}, Holder: e.core, Copies: e.core, Auditor: e.core,
	})
	if err == nil && in.Repartition {
		err = e.addStage()
	}
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

// addStage puts the repartition stage before the pipeline.
func (e *engine) addStage() error {
	dec, err := e.cfg.newDecoder()
	if err != nil {
		return err
	}
	e.stage, err = kafka.NewRepartition(e.cfg.AppID, &e.cfg.Input.Kafka, dec, e.cfg.Loop, e.log)
	if err != nil {
		return err
	}
	return e.metrics.Register(metrics.NewRepartition(func() metrics.Repartition { return metrics.Repartition(e.stage.Stats()) }))
}

// open opens a session of the pipeline; what it reads must be there first.
func (e *engine) open(ctx context.Context, keeper pipeline.Keeper) (pipeline.Session, error) {
	if err := e.prepare(ctx); err != nil {
		return nil, err
	}
	if err := e.claim(ctx); err != nil {
		return nil, err
	}
	source := e.cfg.source()
	return kafka.Open(ctx, e.cfg.AppID, &source, keeper, e.log)
}

// share opens the log that all instances share.
func (e *engine) share(ctx context.Context) (pipeline.SharedLog, error) {
	if err := e.prepare(ctx); err != nil {
		return nil, err
	}
	if err := e.claim(ctx); err != nil {
		return nil, err
	}
	source := e.cfg.source()
	return kafka.OpenShared(ctx, e.cfg.AppID, &source, e.log)
}

func (e *engine) prepare(ctx context.Context) error {
	if e.stage == nil {
		return nil
	}
	return e.stage.Prepare(ctx)
}

// run works until ctx ends or something cannot go on, then brings the state to
// disk.
func (e *engine) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	loop := &pipeline.Loop{Core: e.core, Cfg: e.cfg.Loop, Now: time.Now, Log: e.log, Share: e.share, Open: e.open}
	group.Go(func() error { return loop.Run(ctx) })
	if e.stage != nil {
		group.Go(func() error { return e.stage.Run(ctx) })
	}
	group.Go(func() error { return e.server.Serve(ctx) })
	group.Go(func() error { e.flush(ctx); return nil })
	group.Go(func() error {
		select {
		case err := <-e.damaged:
			return fmt.Errorf("%w; the next start sets it aside and reads the state back from the changelog", err)
		case <-ctx.Done():
			return nil
		}
	})
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
