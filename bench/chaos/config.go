package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dangol-dev/dangol/bench/chaos/oracle"
	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// Names on the brokers.
const (
	appID      = "chaos"
	inputTopic = "events"
)

// opening is the first day of the shop: long past, so that no event is ahead of
// the wall clock.
var opening = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// oracleConfig is the configuration that a customer's changes follow from. It is
// also that of the instances: configure writes it down.
func oracleConfig() oracle.Config {
	c := oracle.Config{
		Topic: inputTopic, Decode: decode.DefaultConfig(), Ledger: ledger.DefaultConfig(), Score: score.DefaultConfig(),
		Limit: time.Now().UnixMilli(),
	}
	c.Score.Offers, c.Score.Learn.Sample = 0, 0
	c.Score.RFM.Cuts = "fixed"
	c.Score.RFM.Fixed.Recency = []float64{2, 5, 12, 30}
	c.Score.RFM.Fixed.Frequency = []float64{1, 2, 4, 8}
	c.Score.RFM.Fixed.Monetary = []float64{25, 75, 200, 600}
	return c
}

// configure writes an instance's configuration.
func (o *options) configure(path, name, state string, brokers []string) error {
	c := oracleConfig()
	text, err := yaml.Marshal(map[string]any{
		"app_id": appID,
		"input": map[string]any{
			"brokers": brokers, "topic": inputTopic, "instance": name,
			"session_timeout": o.session.String(), "transaction_timeout": o.txn.String(),
		},
		// Small, so that there are files on the disk to be damaged, and customers
		// that have to be read from them.
		"state": map[string]any{"dir": state, "hot_bytes": 8 << 20, "mem_table_bytes": 1 << 20, "cache_bytes": 4 << 20},
		"http":  map[string]any{"listen": "127.0.0.1:0"},
		"clock": "event", "offers": c.Score.Offers,
		"learn": map[string]any{"sample": c.Score.Learn.Sample},
		"rfm": map[string]any{"cuts": c.Score.RFM.Cuts, "fixed": map[string]any{
			"recency": c.Score.RFM.Fixed.Recency, "frequency": c.Score.RFM.Fixed.Frequency, "monetary": c.Score.RFM.Fixed.Monetary,
		}},
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("configuration of instance %s: %w", name, err)
	}
	return nil
}
