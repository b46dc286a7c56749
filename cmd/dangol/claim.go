package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// claim logs, once, which of the brokers' settings do not bear what is promised,
// and refuses those under which state would be lost. Brokers that do not answer are left
// to who needs them, and asked again with the next attempt.
func (e *engine) claim(ctx context.Context) error {
	if !e.foreign {
		return nil
	}
	in := &e.cfg.Input.Kafka
	found, err := kafka.CheckClaim(ctx, e.cfg.AppID, in)
	if err != nil {
		e.log.Warn("the brokers' settings could not be checked", "error", err)
		return nil
	}
	e.foreign = false
	for _, f := range found {
		if f.Severity == kafka.Refusal {
			err = errors.Join(err, errors.New(f.Text))
			continue
		}
		e.log.Warn(in.Promise()+" is not borne by the brokers' settings", "setting", f.Text)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", pipeline.ErrFatal, err)
	}
	return nil
}

// printClaim writes the findings a line each.
func printClaim(ctx context.Context, w io.Writer, cfg *Config) error {
	found, err := kafka.CheckClaim(ctx, cfg.AppID, &cfg.Input.Kafka)
	if err != nil {
		return err
	}
	refused := false
	for _, f := range found {
		refused = refused || f.Severity == kafka.Refusal
		if _, err := fmt.Fprintf(w, "%s: %s\n", f.Severity, f.Text); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		_, err = fmt.Fprintf(w, "the brokers' settings bear %s\n", cfg.Input.Kafka.Promise())
	}
	if refused {
		return errReported
	}
	return err
}
