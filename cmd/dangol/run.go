package main

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

func newRunCommand() *cobra.Command {
	var path string
	var sets []string
	cmd := &cobra.Command{
		Use:   "run -c FILE",
		Short: "Keep scores for a topic of customer events",
		Long: `Run consumes the input topic as a member of the group app_id, keeps every
customer's scores in the state directory, writes what changed to the app_id.* topics
in the same transactions, and serves the API. SIGTERM ends it after the transaction
that is under way; a kill at any moment loses and doubles nothing.

"dangol check --example" prints a configuration file with every setting explained.`,
		Example: "  dangol run -c dangol.yaml\n  dangol run --set input.brokers=[kafka:9092] --set state.dir=/var/lib/dangol",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" && len(sets) == 0 {
				return errors.New("no configuration given: dangol run -c FILE (dangol check --example prints one)")
			}
			cfg, err := loadConfig(path, sets)
			if err != nil {
				return err
			}
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			err = runEngine(cmd.Context(), cfg, log)
			if errors.Is(err, pipeline.ErrForeign) {
				if err = setAside(cfg.State, log, err); err == nil {
					err = runEngine(cmd.Context(), cfg, log)
				}
			}
			return err
		},
	}
	addConfigFlags(cmd, &path, &sets)
	return cmd
}

// runEngine works on brokers that are somebody else's.
func runEngine(ctx context.Context, cfg *Config, log *slog.Logger) error {
	began := time.Now()
	e, err := newEngine(cfg, log)
	if err != nil {
		return err
	}
	e.foreign = true
	log.Info("started", "app_id", cfg.AppID, "topic", cfg.Input.Kafka.Topic, "api", "http://"+e.server.Addr(), "state", cfg.State.Dir, "seconds", math.Round(1e3*time.Since(began).Seconds())/1e3)
	if err := e.run(ctx); err != nil {
		return err
	}
	log.Info("stopped", "events", e.core.Stats().Events)
	return nil
}
