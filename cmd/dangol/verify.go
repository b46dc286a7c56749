package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"github.com/spf13/cobra"

	api "github.com/dangol-dev/dangol/connectors/http"
	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

func newVerifyCommand() *cobra.Command {
	var path string
	var sets, live []string
	var changes bool
	cmd := &cobra.Command{
		Use:   "verify -c FILE",
		Short: "Compare changelog, state, counts, offsets and scores, and name every difference",
		Long: `Verify audits what an application keeps: every customer of the changelog can be read
and has its timer; the commit records are the group's offsets, and within the input;
the local state is the changelog's, key by key, with its timers; co-occurrence counts
and population are what all customers' ledgers come to, to the last bit; the scores
topic has the latest document of each customer. It joins no group and writes nothing.

The state directory is that of the configuration, of a stopped instance. While one runs
it is asked over its API (--live, once for each instance), and what is compared is still
exact: each thing is read up to the same transaction.

It ends with code 1 where anything differs.`,
		Example: "  dangol verify -c dangol.yaml\n  dangol verify -c dangol.yaml --live http://a:8080 --live http://b:8080",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := configOf(path, sets, "verify")
			if err != nil {
				return err
			}
			return verify(cmd.Context(), cfg, live, changes, cmd.OutOrStdout())
		},
	}
	addConfigFlags(cmd, &path, &sets)
	cmd.Flags().StringArrayVar(&live, "live", nil, "`address` of a running instance's API, http://host:port; may be repeated")
	cmd.Flags().BoolVar(&changes, "changes", false, "look at the changes topic too, all of it: versions without gap or repeat")
	return cmd
}

// configOf loads the configuration that a command cannot do without.
func configOf(path string, sets []string, command string) (*Config, error) {
	if path == "" && len(sets) == 0 {
		return nil, fmt.Errorf("no configuration given: dangol %s -c FILE", command)
	}
	return loadConfig(path, sets)
}

// verifier compares what an application keeps in different places.
type verifier struct {
	*findings
	cfg     *Config
	audit   *kafka.Audit
	members []kafka.Member
	store   *state.Store // of a stopped instance; nil: there is none
	live    map[int32]*liveInstance

	committed map[int32]int64 // by the group, before anything else was read
	input     []kafka.Bounds
	changelog []kafka.Bounds // before the shared log was read
	ends      []kafka.Bounds // of the changelog, after that

	folded, counted *pipeline.Whole
	targets         map[int32]*target
	places          map[int32]int
	reads           map[int32]int64 // up to where the changelog was compared
	customers       map[uint64]lastWord

	led    ledger.Ledger
	em     score.Emission
	intern func([]byte) string

	states  int   // partitions whose state was compared
	lag     int64 // records of the input that are not read yet
	changed int
}

func newVerifier(cfg *Config, audit *kafka.Audit) *verifier {
	return &verifier{
		findings: newFindings(), cfg: cfg, audit: audit, live: map[int32]*liveInstance{}, targets: map[int32]*target{},
		places: map[int32]int{}, reads: map[int32]int64{}, customers: map[uint64]lastWord{}, intern: pipeline.NewInterner(),
	}
}

// active says whether anything has moved since the changelog was first looked at. A
// group may have members that have stopped: they leave it later.
func (v *verifier) active(ctx context.Context) bool {
	if len(v.members) == 0 {
		return false
	}
	now, err := v.audit.Bounds(ctx, pipeline.Changelog)
	return err != nil || !slices.Equal(now, v.changelog)
}

func verify(ctx context.Context, cfg *Config, live []string, changes bool, out io.Writer) (err error) {
	audit, err := kafka.OpenAudit(ctx, cfg.AppID, &cfg.Input.Kafka, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer audit.Close()
	v := newVerifier(cfg, audit)
	v.counted = pipeline.NewWhole(cfg.core(), nil, false)
	if err := v.openState(ctx, live); err != nil {
		return err
	}
	if v.store != nil {
		defer func() { err = errors.Join(err, v.store.Close()) }()
	}
	if err := v.run(ctx); err != nil {
		return err
	}
	if err := v.scores(ctx); err != nil {
		return err
	}
	if changes {
		if err := v.changes(ctx); err != nil {
			return err
		}
	}
	return v.print(out, v.compared(changes))
}

// openState opens the local state, or finds the running instances.
func (v *verifier) openState(ctx context.Context, live []string) error {
	dir := v.cfg.State.Dir
	if len(live) == 0 {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			v.note("there is no state directory %s: no state is compared", dir)
			return nil
		}
		store, err := state.Open(v.cfg.State, nil, state.Observer{})
		if err == nil {
			v.store = store
			return nil
		}
		if !errors.Is(err, state.ErrInUse) {
			return err
		}
		live = []string{"http://" + v.cfg.HTTP.Listen}
		if _, perr := newLive(live[0]).openPartitions(ctx); perr != nil {
			return fmt.Errorf("a process runs on %s: give the address of its API, --live http://host:port (%s does not answer: %w)", dir, live[0], perr)
		}
	}
	for _, base := range live {
		l := newLive(base)
		ps, err := l.openPartitions(ctx)
		if err != nil {
			return err
		}
		for _, p := range ps {
			v.live[p] = l
		}
	}
	return nil
}

// run compares all but the topics of documents.
func (v *verifier) run(ctx context.Context) (err error) {
	if v.members, err = v.audit.Members(ctx); err != nil {
		return err
	}
	if v.committed, err = v.audit.Committed(ctx); err != nil {
		return err
	}
	if v.changelog, err = v.audit.Bounds(ctx, pipeline.Changelog); err != nil {
		return err
	}
	if err := v.fold(ctx); err != nil {
		return err
	}
	var parts []*replayed
	for p := range v.audit.Partitions() {
		r, err := v.partition(ctx, p)
		if err != nil {
			return err
		}
		v.examine(r)
		parts = append(parts, r)
	}
	after, err := v.audit.Committed(ctx)
	if err != nil {
		return err
	}
	if v.input, err = v.audit.Input(ctx); err != nil {
		return err
	}
	for _, r := range parts {
		v.offsets(ctx, r, after)
	}
	v.compareShared()
	return nil
}

// partition reads one of the changelog and compares the state with it.
func (v *verifier) partition(ctx context.Context, p int32) (r *replayed, err error) {
	var d *api.DigestDoc
	l := v.live[p]
	if l != nil {
		d, err = l.digest(ctx, p, 0, 1, false)
		switch {
		case errors.Is(err, errElsewhere):
			d = nil
			v.note("live state: partition %d went from %s to another instance: it is not compared", p, l.base)
		case err != nil:
			return nil, err
		}
	}
	if v.ends, err = v.audit.Bounds(ctx, pipeline.Changelog); err != nil { // with all that the digest knows
		return nil, err
	}
	pos, have, err := v.statePosition(p)
	if err != nil {
		return nil, err
	}
	if d != nil {
		pos = digestPosition(d)
	}
	if r, err = v.replay(ctx, p, pos.Changelog); err != nil {
		return nil, err
	}
	v.reads[p] = r.read
	switch {
	case d != nil:
		err = v.compareLive(ctx, l, r, d)
	case have:
		err = v.compareState(r, pos)
	}
	return r, err
}

// compared says what was.
func (v *verifier) compared(changes bool) string {
	text := fmt.Sprintf("%d partitions, %d customers, %d pairs of items, state of %d partitions", v.audit.Partitions(), len(v.customers), v.counted.Pairs(), v.states)
	if changes {
		text += fmt.Sprintf(", %d changes", v.changed)
	}
	return text + fmt.Sprintf(", %d records of the input not read yet", v.lag)
}
