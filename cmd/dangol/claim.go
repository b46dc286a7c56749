package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/dangol-dev/dangol/connectors/kafka"
)

// claim logs which of the brokers' settings do not bear exactly-once, and refuses
// those under which state would be lost. Brokers that do not answer are waited for
// by who opens the session.
func claim(ctx context.Context, cfg *Config, log *slog.Logger) error {
	found, err := kafka.CheckClaim(ctx, cfg.AppID, &cfg.Input.Kafka)
	if err != nil {
		if ctx.Err() == nil {
			log.Warn("the brokers' settings could not be checked", "error", err)
		}
		return nil
	}
	for _, f := range found {
		if f.Severity == kafka.Refusal {
			err = errors.Join(err, errors.New(f.Text))
			continue
		}
		log.Warn("exactly-once is not borne by the brokers' settings", "setting", f.Text)
	}
	return err
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
		_, err = fmt.Fprintln(w, "the brokers' settings bear exactly-once")
	}
	if refused {
		return errReported
	}
	return err
}
