package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/connectors/encode"
	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

func newRebuildCommand() *cobra.Command {
	var path string
	var sets []string
	cmd := &cobra.Command{
		Use:   "rebuild -c FILE",
		Short: "Count again, from all customers' ledgers, what is true of all customers",
		Long: `Rebuild reads the changelog, counts which items go together and how the population
stands, as the configuration has it now, and writes that as the snapshot that instances
begin with. It is for after a change of basket.half_life, window, session_gap, neighbours
or triples, and where the shared log has lost records.

All instances must be stopped: it waits for input.session_timeout until they have left
the group, and refuses where one has not. What items are called, their categories and prices are
kept as the shared log has them, and the fitted models too: they are not in the ledgers.`,
		Example: "  dangol rebuild -c dangol.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := configOf(path, sets, "rebuild")
			if err != nil {
				return err
			}
			return rebuild(cmd.Context(), cfg, cmd.OutOrStdout())
		},
	}
	addConfigFlags(cmd, &path, &sets)
	return cmd
}

// leaveGrace is what the coordinator gets, beyond a session's time-out, to notice
// that a member has left.
const leaveGrace = 3 * time.Second

func rebuild(ctx context.Context, cfg *Config, out io.Writer) error {
	audit, err := kafka.OpenAudit(ctx, cfg.AppID, &cfg.Input.Kafka, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer audit.Close()
	if err := nobodyRuns(ctx, audit, cfg.Input.Kafka.SessionTimeout+leaveGrace); err != nil {
		return err
	}
	v := newVerifier(cfg, audit)
	v.counted = pipeline.NewWhole(cfg.core(), encode.JSON{}, true)
	ends, err := v.keepNames(ctx)
	if err != nil {
		return err
	}
	if v.changelog, err = audit.Bounds(ctx, pipeline.Changelog); err != nil {
		return err
	}
	v.ends = v.changelog
	for p := range audit.Partitions() {
		r, err := v.replay(ctx, p, 0)
		if err != nil {
			return err
		}
		v.examine(r)
	}
	if v.count() > 0 {
		return v.print(out, "nothing was written")
	}
	if err := nobodyRuns(ctx, audit, 0); err != nil { // nor has anybody begun to
		return err
	}
	if err := audit.Save(ctx, ends, v.counted.Save); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "counted again: %d customers, %d pairs of items; instances begin with that from now on\n", len(v.customers), v.counted.Pairs())
	return err
}

// nobodyRuns refuses while an instance is in the group. One that was stopped stays
// in it for a session's time-out, for which wait says to wait.
func nobodyRuns(ctx context.Context, audit *kafka.Audit, wait time.Duration) error {
	for until := time.Now().Add(wait); ; {
		members, err := audit.Members(ctx)
		if err != nil || len(members) == 0 {
			return err
		}
		if time.Now().After(until) {
			var names []string
			for _, m := range members {
				names = append(names, fmt.Sprintf("%q", m.Instance))
			}
			return fmt.Errorf("%d instances run, or have left the group too lately: %s; stop them, and wait for input.session_timeout", len(members), naming(names))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// keepNames takes from the old snapshot and the log what the ledgers do not tell,
// and returns where the log ends.
func (v *verifier) keepNames(ctx context.Context) (map[int32]int64, error) {
	if _, err := v.audit.Snapshot(ctx, true, v.counted.Load); err != nil {
		return nil, err
	}
	bounds, err := v.audit.Bounds(ctx, pipeline.Pairs)
	if err != nil {
		return nil, err
	}
	ends := map[int32]int64{}
	for p := range v.audit.Partitions() {
		ends[p] = bounds[p].End
		err := v.audit.Read(ctx, pipeline.Pairs, p, bounds[p].Start, bounds[p].End, func(rec *kgo.Record) error {
			err := v.counted.Take(pipeline.SharedRecord{Partition: p, Offset: rec.Offset, Value: rec.Value})
			if err != nil {
				return fmt.Errorf("shared log, partition %d, offset %d: %w", p, rec.Offset, err)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return ends, nil
}
