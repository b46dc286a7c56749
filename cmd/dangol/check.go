package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func newCheckCommand() *cobra.Command {
	var path string
	var sets []string
	var example, connect bool
	cmd := &cobra.Command{
		Use:   "check -c FILE",
		Short: "Check a configuration, or print an annotated example",
		Long: `Check reads a configuration as "dangol run" would and prints every fault at once,
each with its line, its path and the bound that it breaks. It opens no connection,
unless --connect asks for it: then it reads the brokers' settings too, names those
that do not bear exactly-once, and changes nothing.`,
		Example: "  dangol check --example > dangol.yaml\n  dangol check -c dangol.yaml\n  dangol check -c dangol.yaml --connect",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if example {
				_, err := io.WriteString(cmd.OutOrStdout(), exampleConfig())
				return err
			}
			if path == "" && len(sets) == 0 {
				return errors.New("no file given: dangol check -c FILE, or --example for one to begin with")
			}
			if err := check(cmd.OutOrStdout(), path, sets); err != nil || !connect {
				return err
			}
			cfg, err := loadConfig(path, sets)
			if err != nil {
				return err
			}
			return printClaim(cmd.Context(), cmd.OutOrStdout(), cfg)
		},
	}
	addConfigFlags(cmd, &path, &sets)
	cmd.Flags().BoolVar(&example, "example", false, "print every setting with its meaning and default")
	cmd.Flags().BoolVar(&connect, "connect", false, "ask the brokers, too, whether their settings bear exactly-once")
	return cmd
}

// addConfigFlags gives cmd the flags that loadConfig takes.
func addConfigFlags(cmd *cobra.Command, path *string, sets *[]string) {
	cmd.Flags().StringVarP(path, "config", "c", "", "configuration `file` (see dangol check --example)")
	cmd.Flags().StringArrayVar(sets, "set", nil, "lay one value over the configuration, as `key.path=value`; may be repeated")
}

// check prints the faults of a configuration, or what it says in short.
func check(w io.Writer, path string, sets []string) error {
	c, err := loadConfig(path, sets)
	var bad *configError
	if errors.As(err, &bad) {
		noun := "faults"
		if len(bad.faults) == 1 {
			noun = "fault"
		}
		if _, err := fmt.Fprintf(w, "%s\n%d %s\n", bad, len(bad.faults), noun); err != nil {
			return err
		}
		return errReported
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "ok\n%s", summary(c))
	return err
}

// summary says in a few lines what c will make the engine do.
func summary(c *Config) string {
	security := "no encryption"
	in := &c.Input.Kafka
	if in.TLS.Enabled {
		security = "TLS"
	}
	if m := in.SASL.Mechanism; m != "" {
		security += ", " + m + " as " + in.SASL.Username
	}
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-8s "+format+"\n", append([]any{name}, args...)...)
	}
	row("input", "topic %s (%s) at %s, %s, from the %s record", in.Topic, c.Input.Format,
		strings.Join(in.Brokers, ", "), security, in.Start)
	if in.Repartition {
		row("", "passed through topic %s, keyed by customer; consumer group %s-repartition", c.source().Topic, c.AppID)
	}
	row("output", "topics %s.changes, %s.scores and others of that prefix; consumer group %s", c.AppID, c.AppID, c.AppID)
	row("time", "days in %s, clock %s, events up to %s late (then %s), at most %s ahead", c.TimeZone, c.Clock,
		shortDuration(c.Ledger.Lateness), c.Late, shortDuration(c.FutureSkew))
	row("commits", "every %s, up to %d records a transaction", shortDuration(c.Loop.CommitInterval), c.Loop.MaxRecords)
	row("state", "in %s, up to %d MiB of customers in memory", c.State.Dir, c.State.HotBytes>>20)
	row("api", "http://%s", c.HTTP.Listen)
	return b.String()
}
