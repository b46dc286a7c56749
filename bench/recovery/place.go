package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/bench/brokers"
)

const (
	app   = "recovery"
	topic = "events"
)

// place is where it happens: brokers, and what they say.
type place struct {
	addrs []string
	cl    *kgo.Client
	adm   *kadm.Client
	stop  func()
}

var listening = regexp.MustCompile(`broker at ([0-9.:]+)`)

// open starts brokers.
func open(ctx context.Context, c *config) (*place, error) {
	p := &place{}
	if c.real {
		k, err := brokers.Start(ctx, brokers.Config{Nodes: c.nodes, Dir: filepath.Join(c.dir, "kafka"), MaxLife: c.within, Heap: "768m"})
		if err != nil {
			return nil, err
		}
		p.addrs, p.stop = k.Addrs(), func() { _ = k.Close() }
	} else {
		b, err := launch(filepath.Join(c.dir, "broker.log"), c.bin,
			"broker", "--data", filepath.Join(c.dir, "broker"), "--listen", "127.0.0.1:0", "--app", "unused", "--topic", "unused")
		if err != nil {
			return nil, err
		}
		p.stop = b.end
		addr, err := b.says(ctx, listening)
		if err != nil {
			p.stop()
			return nil, err
		}
		p.addrs = []string{addr}
	}
	var err error
	if p.cl, err = kgo.NewClient(kgo.SeedBrokers(p.addrs...)); err != nil {
		p.stop()
		return nil, err
	}
	p.adm = kadm.NewClient(p.cl)
	return p, nil
}

func (p *place) close() {
	p.cl.Close()
	p.stop()
}

// committed are the group's offsets.
func (p *place) committed(ctx context.Context) (map[int32]int64, error) {
	offs, err := p.adm.FetchOffsets(ctx, app)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // nobody has joined yet
		return nil, fmt.Errorf("offsets of %s: %w", app, err)
	}
	at := map[int32]int64{}
	for part, o := range offs[topic] {
		if o.Err != nil {
			return nil, fmt.Errorf("offset of %s in %s/%d: %w", app, topic, part, o.Err)
		}
		at[part] = o.At
	}
	return at, nil
}

// lag is how many records the group has yet to commit.
func (p *place) lag(ctx context.Context) (int64, error) {
	ends, err := p.adm.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("ends of %s: %w", topic, err)
	}
	at, err := p.committed(ctx)
	if err != nil {
		return 0, err
	}
	lag := int64(0)
	ends.Each(func(e kadm.ListedOffset) { lag += e.Offset - at[e.Partition] })
	return lag, nil
}

// changelog is how many bytes the changelog has on one broker's disk.
func (p *place) changelog(ctx context.Context) (int64, error) {
	dirs, err := p.adm.DescribeAllLogDirs(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("size of the changelog: %w", err)
	}
	sizes := map[int32]int64{} // the copies' largest
	for _, broker := range dirs {
		broker.EachPartition(func(d kadm.DescribedLogDirPartition) {
			if d.Topic == app+".changelog" {
				sizes[d.Partition] = max(sizes[d.Partition], d.Size)
			}
		})
	}
	n := int64(0)
	for _, s := range sizes {
		n += s
	}
	return n, nil
}

// given waits until the group has given partitions to an instance, and says when.
func (p *place) given(ctx context.Context, who *instance, parts []int32) (time.Time, error) {
	for {
		g, err := p.members(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if has(g[who.name], parts) {
			return time.Now(), nil
		}
		if err := who.wait(ctx); err != nil {
			return time.Time{}, err
		}
	}
}

// members are the group's, by instance, with what they have been given.
func (p *place) members(ctx context.Context) (map[string][]int32, error) {
	groups, err := p.adm.DescribeGroups(ctx, app)
	if err == nil {
		err = groups.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("group %s: %w", app, err)
	}
	all := map[string][]int32{}
	for _, m := range groups[app].Members {
		if a, ok := m.Assigned.AsConsumer(); ok && m.InstanceID != nil {
			for _, t := range a.Topics {
				all[*m.InstanceID] = append(all[*m.InstanceID], t.Partitions...)
			}
		}
	}
	return all, nil
}

// has says whether all of some partitions are among others.
func has(all, some []int32) bool {
	in := map[int32]bool{}
	for _, p := range all {
		in[p] = true
	}
	for _, p := range some {
		if !in[p] {
			return false
		}
	}
	return true
}
