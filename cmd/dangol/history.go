package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dangol-dev/dangol/connectors/encode"
	"github.com/dangol-dev/dangol/connectors/file"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/state"
)

// historyOptions are the flags of what reads a history from files.
type historyOptions struct {
	input        []string // one history, in files of one format
	format, asOf string
	config       string
	sets         []string
}

// register gives cmd the flags; asOf is what --as-of means to it.
func (o *historyOptions) register(cmd *cobra.Command, asOf string) {
	f := cmd.Flags()
	f.StringArrayVar(&o.input, "input", nil, inputUsage)
	f.StringVar(&o.format, "format", jsonFormat, formatUsage())
	f.StringVar(&o.asOf, "as-of", "", asOf)
	addConfigFlags(cmd, &o.config, &o.sets)
}

const inputUsage = "`FILE` to read, gzip too; may be given again, for a history in several files of one format"

// inputName is what a report calls the files.
func (o *historyOptions) inputName() string {
	names := make([]string, len(o.input))
	for i, path := range o.input {
		names[i] = filepath.Base(path)
	}
	return strings.Join(names, ", ")
}

func formatUsage() string {
	return "`format` of the file: " + strings.Join(file.Formats(), ", ") + ", or the path of a mapping file"
}

// load reads the configuration and the instant (Unix ms; 0: none was named).
func (o *historyOptions) load() (*Config, int64, error) {
	cfg, err := loadConfig(o.config, o.sets)
	if err != nil {
		return nil, 0, err
	}
	asOf, err := parseInstant(o.asOf)
	return cfg, asOf, err
}

// history is the files' events and an engine without Kafka for them, whose state
// lives in a temporary directory.
type history struct {
	reader *file.Reader
	store  *state.Store
	core   *pipeline.Core
	bar    *progress
	dir    string
}

// open opens the files up to an instant (0: all of it).
func (o *historyOptions) open(cfg *Config, until int64, errOut io.Writer) (_ *history, err error) {
	h := &history{bar: newProgress(errOut)}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	h.reader, err = file.OpenAll(o.input, o.format, file.Options{
		Decode: cfg.Decode, AsOf: until, Progress: func(s file.Stage, share float64) { h.bar.set(string(s), share) },
	})
	if err != nil {
		return nil, err
	}
	if h.dir, err = os.MkdirTemp("", "dangol-replay-"); err != nil {
		return nil, err
	}
	where := cfg.State
	where.Dir, where.Durability = h.dir, state.Changelog
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
