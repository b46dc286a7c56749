package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dangol-dev/dangol/bench/chaos/oracle"
	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/state"
)

// verdict is what the comparison came to.
type verdict struct {
	counts    oracle.Counts
	findings  []oracle.Finding
	records   int // of the input
	customers int
	changes   int
	timers    int // among the changes
	letters   int
}

// offsetTries is how often the group's coordinator is asked, which may be busy.
const offsetTries = 10

// check works out what should be there and compares it with what is.
func (w *world) check(ctx context.Context) (verdict, error) {
	began := time.Now()
	want := oracle.NewWant()
	var v verdict
	o, err := oracle.New(oracleConfig(), want)
	if err != nil {
		return v, err
	}
	err = w.read(ctx, inputTopic, func(r *oracle.Record) error { v.records++; return o.Record(r) })
	if err != nil {
		return v, err
	}
	want.Close(o.End())
	v.customers, v.changes, v.timers, v.letters = want.Customers(), want.Changes(), want.Timers(), want.Letters()
	c := oracle.NewChecker(want)
	takes := map[pipeline.Topic]func(*oracle.Record){
		pipeline.Changes: c.Change, pipeline.Scores: c.Score, pipeline.DeadLetters: c.Letter, pipeline.Changelog: c.Log,
	}
	for _, t := range compared {
		err := w.read(ctx, kafka.TopicName(appID, t), func(r *oracle.Record) error { takes[t](r); return nil })
		if err != nil {
			return v, err
		}
	}
	committed, err := w.watch.fetch(ctx)
	for tries := 0; err != nil && tries < offsetTries; tries++ {
		pause(ctx, time.Second)
		committed, err = w.watch.fetch(ctx)
	}
	if err != nil {
		return v, fmt.Errorf("offsets of the group: %w", err)
	}
	ends, err := w.listed(ctx, w.adm.ListCommittedOffsets, inputTopic)
	if err != nil {
		return v, err
	}
	w.local(c)
	v.counts, v.findings = c.Finish(committed, ends)
	w.note("compared in %.1fs: %s", time.Since(began).Seconds(), v.counts)
	if len(v.findings) > 0 {
		return v, w.explain(ctx, v.findings)
	}
	return v, nil
}

// local compares the stores of the instances that worked on partitions in the
// end. One that cannot be read is told of and counts as nothing: a flipped bit that
// nobody has met yet is no word against what was said.
func (w *world) local(c *oracle.Checker) {
	for _, n := range w.ended {
		var owned []int32
		w.watch.mu.Lock()
		for p, owner := range w.watch.owners {
			if owner == appID+"-"+n.name {
				owned = append(owned, p)
			}
		}
		w.watch.mu.Unlock()
		if len(owned) == 0 {
			continue
		}
		if err := n.compare(c, owned); err != nil {
			w.unread = append(w.unread, fmt.Sprintf("%s: %v", n.name, err))
		}
	}
}

func (n *instance) compare(c *oracle.Checker, partitions []int32) error {
	cfg := state.DefaultConfig()
	cfg.Dir = n.state
	store, err := state.Open(cfg, nil, state.Observer{})
	if err != nil {
		return err
	}
	for _, p := range partitions {
		err = errors.Join(err, c.Local("the store of "+n.name, p, store))
	}
	return errors.Join(err, store.Close())
}

// explain writes the faults down, with all changes of the customers in question
// as they should be: the oracle works through the input once more.
func (w *world) explain(ctx context.Context, findings []oracle.Finding) error {
	texts := oracle.NewTexts()
	for _, f := range findings {
		if f.Customer != "" {
			texts.Of(f.Customer)
		}
	}
	o, err := oracle.New(oracleConfig(), texts)
	if err != nil {
		return err
	}
	if err := w.read(ctx, inputTopic, o.Record); err != nil {
		return err
	}
	o.End()
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s: %s\n", f.Kind, f.Text)
		if f.Got != nil {
			fmt.Fprintf(&b, "  got  %s\n", f.Got)
		}
	}
	b.WriteString("\nChanges as they should be:\n")
	texts.Each(func(id string, changes []string) {
		fmt.Fprintf(&b, "%s\n", id)
		for _, c := range changes {
			fmt.Fprintf(&b, "  %s\n", c)
		}
	})
	path := filepath.Join(w.dir, "findings.txt")
	w.note("what differs is in %s", path)
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
