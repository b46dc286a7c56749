package main

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/dangol-dev/dangol/connectors/encode"
	"github.com/dangol-dev/dangol/connectors/file"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/state"
)

// history is a file's events and an engine without Kafka for them, whose state
// lives in a temporary directory.
type history struct {
	reader *file.Reader
	store  *state.Store
	core   *pipeline.Core
	bar    *progress
	dir    string
}

// openHistory opens the file up to an instant (0: all of it).
func openHistory(cfg *Config, input, format string, until int64, errOut io.Writer) (_ *history, err error) {
	h := &history{bar: newProgress(errOut)}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	h.reader, err = file.Open(input, format, file.Options{
		Decode: cfg.Decode, AsOf: until, Progress: func(s file.Stage, share float64) { h.bar.set(string(s), share) },
	})
	if err != nil {
		return nil, err
	}
	if h.dir, err = os.MkdirTemp("", "dangol-replay-"); err != nil {
		return nil, err
	}
	where := cfg.State
	where.Dir = h.dir
	if h.store, err = state.Open(where, nil, state.Observer{}); err != nil {
		return nil, err
	}
	h.core = pipeline.NewCore(cfg.replayCore(), h.store, encode.JSON{}, cfg.newDecoder, time.Now)
	return h, nil
}

// close ends everything and removes the state.
func (h *history) close() error {
	h.bar.close()
	var errs []error
	if h.store != nil {
		errs = append(errs, h.store.Close())
	}
	if h.dir != "" {
		errs = append(errs, os.RemoveAll(h.dir))
	}
	if h.reader != nil {
		errs = append(errs, h.reader.Close())
	}
	return errors.Join(errs...)
}
