package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// watcher reads the changes topic as any consumer would, and keeps the latest
// changes in words.
type watcher struct {
	cl *kgo.Client

	mu     sync.Mutex
	causes map[string]int
	latest map[string]string // cause → words
}

func watch(ctx context.Context, cfg *Config) (*watcher, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(cfg.Input.Kafka.Brokers...),
		kgo.ConsumeTopics(kafka.TopicName(cfg.AppID, pipeline.Changes)), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.UnknownTopicRetries(-1))
	if err != nil {
		return nil, err
	}
	w := &watcher{cl: cl, causes: map[string]int{}, latest: map[string]string{}}
	go func() {
		defer cl.Close()
		for {
			fs := cl.PollFetches(ctx)
			if errors.Is(fs.Err0(), context.Canceled) || fs.IsClientClosed() {
				return
			}
			fs.EachRecord(w.see)
		}
	}()
	return w, nil
}

// change is what the words are made of.
type change struct {
	CustomerID string    `json:"customer_id"`
	At         time.Time `json:"at"`
	Cause      struct {
		Kind  string `json:"kind"`
		Timer string `json:"timer"`
	} `json:"cause"`
	Changed map[string][2]any `json:"changed"`
	Scores  *struct {
		Reasons []struct {
			Text string `json:"text"`
		} `json:"reasons"`
		NextBest []struct {
			ItemID  string `json:"item_id"`
			Because []struct {
				ItemIDs []string `json:"item_ids"`
				Lift    float64  `json:"lift"`
			} `json:"because"`
		} `json:"next_best"`
	} `json:"scores"`
}

func (w *watcher) see(r *kgo.Record) {
	var c change
	if json.Unmarshal(r.Value, &c) != nil {
		return
	}
	kind := c.Cause.Kind
	words := c.words()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.causes[kind]++
	if words != "" {
		w.latest[kind] = words
	}
}

// told are the fields worth a line of their own, the first of them first.
var told = []string{"rfm.segment", "journey.stage", "churn.band", "churn.overdue_percentile"}

// words tell a change in a line; "" for one that is not worth it.
func (c *change) words() string {
	if c.Scores == nil {
		return fmt.Sprintf("%s  %s was erased", c.At.Format(time.DateOnly), c.CustomerID)
	}
	var parts []string
	for _, f := range told {
		if v, ok := c.Changed[f]; ok && v[0] != nil && v[1] != nil && len(parts) < 2 {
			parts = append(parts, fmt.Sprintf("%s %v → %v", f[strings.IndexByte(f, '.')+1:], v[0], v[1]))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	line := fmt.Sprintf("%s  %s: %s", c.At.Format(time.DateOnly), c.CustomerID, strings.Join(parts, ", "))
	for _, r := range c.Scores.Reasons {
		if strings.Contains(r.Text, "since the") { // what time has done
			line += " (" + r.Text + ")"
		}
	}
	for _, o := range c.Scores.NextBest {
		if len(o.Because) > 0 && len(o.Because[0].ItemIDs) > 0 && o.Because[0].ItemIDs[0] != o.ItemID {
			line += fmt.Sprintf("; offer %s: goes with %s, lift %.1f", o.ItemID, o.Because[0].ItemIDs[0], o.Because[0].Lift)
			break
		}
	}
	return line
}

func (w *watcher) snapshot() (causes map[string]int, latest map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	causes, latest = map[string]int{}, map[string]string{}
	for k, v := range w.causes {
		causes[k] = v
	}
	for k, v := range w.latest {
		latest[k] = v
	}
	return causes, latest
}
