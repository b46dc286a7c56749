package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "dangol",
		Short: "Customer scores that are true now, from Kafka",
		Long: `dangol reads what customers do from Kafka and keeps, for every customer, a small
set of scores that are true now: RFM, churn risk, lifetime value, next best
offer, journey stage. It says so downstream the moment a score changes, also
when it changes because nothing happened.

Start with "dangol demo": a broker, a shop and the engine in one process.`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
	}
	root.SetVersionTemplate("dangol {{.Version}}\n")
	root.AddGroup(
		&cobra.Group{ID: "engine", Title: "The engine:"},
		&cobra.Group{ID: "data", Title: "Data and brokers:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("engine", newDemoCommand(), newRunCommand(), newReplayCommand(), newBacktestCommand(), newRulesCommand(), newCheckCommand(), newInspectCommand(), newVerifyCommand(), newRebuildCommand(), newAudienceCommand(), newBenchCommand())
	add("data", newBrokerCommand(), newGenerateCommand(), newProduceCommand(), newTxnCommand())
	root.AddCommand(newVersionCommand())
	return root
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "dangol %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// version is the module's version, or the commit that was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			revision = s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "+changes"
		}
	}
	if revision == "" {
		return "development"
	}
	return "commit " + revision + modified
}
