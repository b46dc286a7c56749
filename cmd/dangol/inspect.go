package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/dangol-dev/dangol/connectors/encode"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

func newInspectCommand() *cobra.Command {
	var dir string
	var facts bool
	cmd := &cobra.Command{
		Use:   "inspect --state DIR",
		Short: "Show what a stopped instance's state directory holds",
		Long: `Inspect reads a state directory that no process uses: the commit record of every
partition or, with --facts, a line for every customer with its facts in hexadecimal and the version of its last change.
"dangol replay --facts" writes the same lines, so that the two can be compared.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if dir == "" {
				return errors.New("no state directory given: dangol inspect --state DIR")
			}
			if _, err := os.Stat(dir); err != nil {
				return fmt.Errorf("state directory: %w", err)
			}
			cfg := state.DefaultConfig()
			cfg.Dir = dir
			store, err := state.Open(cfg, nil, state.Observer{})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			if !facts {
				return inspectPositions(cmd.OutOrStdout(), store)
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			return errors.Join(pipeline.EachFacts(store, factsWriter(out)), out.Flush())
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "state", "", "state `directory` (state.dir)")
	f.BoolVar(&facts, "facts", false, "print every customer's facts instead")
	return cmd
}

func inspectPositions(w io.Writer, store *state.Store) error {
	parts, err := store.Partitions()
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		_, err := fmt.Fprintln(w, "no partition has been committed")
		return err
	}
	for _, p := range parts {
		b, _, err := store.Position(p)
		if err != nil {
			return err
		}
		pos, err := pipeline.DecodePosition(b)
		if err != nil {
			return err
		}
		n := 0
		err = store.Scan(p, []byte{'c'}, func([]byte, []byte, int64) error { n++; return nil })
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "partition %d: %d customers, next input offset %d, changelog read to %d, newest event %s, clock %s\n",
			p, n, pos.Next, pos.Changelog, instant(pos.MaxTime), instant(pos.Clock))
		if err != nil {
			return err
		}
	}
	return nil
}

func instant(ms int64) string {
	if ms == 0 {
		return "none"
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
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
