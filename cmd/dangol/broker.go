package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dangol-dev/dangol/connectors/broker"
)

func newBrokerCommand() *cobra.Command {
	var config broker.Config
	var app, topic string
	var retention time.Duration
	cmd := &cobra.Command{
		Use:   "broker --data DIR",
		Short: "Run the embedded Kafka broker by itself",
		Long: `Broker is a Kafka of one node for this machine: it listens on loopback only, has no
authentication, and keeps its records in DIR. It creates the engine's topics.

An acknowledged record survives the death of the process. It survives the death
of the machine only with --sync, which costs throughput.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config.Log = func(s string) { cmd.PrintErrln("broker:", s) }
			b, err := broker.Start(config)
			if err != nil {
				return err
			}
			topics := broker.Topics(app, topic, config.Partitions, retention)
			if err := b.CreateTopics(cmd.Context(), topics...); err != nil {
				return errors.Join(err, b.Close())
			}
			where := "memory"
			if config.Dir != "" {
				where = config.Dir
			}
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "broker at %s, records in %s\n", strings.Join(b.Addrs(), ","), where); err != nil {
				return err
			}
			return b.Run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&config.Dir, "data", "", "directory of the records (default: keep them in memory)")
	f.StringVar(&config.Listen, "listen", broker.DefaultListen, "loopback `address` to listen on")
	f.Int32Var(&config.Partitions, "partitions", broker.DefaultPartitions, "partitions of the topics created")
	f.BoolVar(&config.SyncWrites, "sync", false, "make every acknowledged batch durable (fsync)")
	f.StringVar(&app, "app", "dangol", "prefix of the engine's topics")
	f.StringVar(&topic, "topic", "events", "topic of customer events")
	f.DurationVar(&retention, "retention", 7*24*time.Hour, "how long event and change records are kept; 0: for ever")
	return cmd
}
