package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/dangol-dev/dangol/bench/brokers"
)

var _ cluster = (*brokers.Cluster)(nil)

// startKafka starts Apache Kafka, for as long as a run may take.
func startKafka(ctx context.Context, o *options, dir string) (cluster, error) {
	c, err := brokers.Start(ctx, brokers.Config{Nodes: o.nodes, Dir: filepath.Clean(dir), MaxLife: o.limit + checkMost + 5*time.Minute})
	if err != nil {
		return nil, err
	}
	return c, nil
}
