package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// trial is one recovery; times are seconds.
type trial struct {
	took  float64 // until the group had given the partitions to the one that goes on; 0: not looked at
	first float64 // until an event that came after the kill was committed
	all   float64 // until one was in every partition
	read  float64 // records of the changelog; of a take-over, not looked at
	bytes int64   // of the changelog, at the kill
}

// kind is a way to die.
type kind struct {
	name   string
	trials []trial
}

// measure does it all and prints a table.
func measure(ctx context.Context, c *config, out io.Writer, progress *log.Logger) error {
	p, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer p.close()
	progress.Printf("filling: %d visits and %d events", c.load.Customers, c.load.Events)
	if err := c.load.Fill(ctx, p.addrs, topic); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	one, err := newInstance(c, p, "a")
	if err != nil {
		return err
	}
	defer func() { one.end() }()
	if err := caughtUp(ctx, p, one, 0); err != nil {
		return err
	}
	progress.Printf("taken in after %.0f s", time.Since(one.began).Seconds())
	group, ctx := errgroup.WithContext(ctx)
	ctx, cancel := context.WithCancel(ctx)
	group.Go(func() error {
		if err := c.load.Trickle(ctx, p.addrs, topic, c.rate); ctx.Err() == nil {
			return fmt.Errorf("produce: %w", err)
		}
		return nil
	})
	kinds := []kind{{name: "killed when just filled"}, {name: "killed"}, {name: lostDisk}, {name: "killed, a standby goes on"}}
	group.Go(func() error {
		defer cancel()
		return try(ctx, c, p, one, kinds, progress)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	_, err = io.WriteString(out, table(c, kinds))
	return err
}

// lostDisk is the kind after which all is read back.
const lostDisk = "killed, disk lost"

// flushed is after how long what dangol was filled with is on its disk: it flushes
// once a minute.
const flushed = 70 * time.Second

// try makes all trials.
func try(ctx context.Context, c *config, p *place, one *instance, kinds []kind, progress *log.Logger) error {
	if err := again(ctx, p, one, &kinds[0], false, progress); err != nil {
		return err
	}
	if err := rest(ctx, flushed); err != nil {
		return err
	}
	for range c.trials {
		if err := again(ctx, p, one, &kinds[1], false, progress); err != nil {
			return err
		}
	}
	for range (c.trials + 1) / 2 {
		if err := again(ctx, p, one, &kinds[2], true, progress); err != nil {
			return err
		}
	}
	return takeOver(ctx, c, p, one, &kinds[3], progress)
}

// calm is for how long all goes well before a kill.
const calm = 5 * time.Second

// caughtUp waits until little is left to commit.
func caughtUp(ctx context.Context, p *place, i *instance, left int64) error {
	for {
		lag, err := p.lag(ctx)
		if err != nil {
			return err
		}
		if lag <= left {
			return nil
		}
		if err := i.wait(ctx); err != nil {
			return err
		}
	}
}

// again kills an instance and starts it again.
func again(ctx context.Context, p *place, i *instance, k *kind, lost bool, progress *log.Logger) error {
	if err := caughtUp(ctx, p, i, int64(i.c.rate)); err != nil {
		return err
	}
	if err := rest(ctx, calm); err != nil {
		return err
	}
	t := trial{}
	var err error
	if t.bytes, err = p.changelog(ctx); err != nil {
		return err
	}
	i.end()
	if lost {
		if err := os.RemoveAll(i.state()); err != nil {
			return err
		}
	}
	before, err := p.committed(ctx)
	if err != nil {
		return err
	}
	if err := i.start(); err != nil {
		return err
	}
	if t.first, t.all, err = flows(ctx, p, i, before, i.began); err != nil {
		return err
	}
	figures, err := i.figures(ctx)
	if err != nil {
		return err
	}
	t.read = figures["dangol_pipeline_recovered_records_total"]
	k.trials = append(k.trials, t)
	progress.Printf("%s: first event after %.2f s, in all partitions after %.2f s, %.0f records of the changelog read", k.name, t.first, t.all, t.read)
	return nil
}

// flows waits until events after some offsets are committed by an instance: one,
// and one in each partition. Seconds since an instant.
func flows(ctx context.Context, p *place, i *instance, before map[int32]int64, since time.Time) (first, all float64, err error) {
	for {
		at, err := p.committed(ctx)
		if err != nil {
			return 0, 0, err
		}
		on := 0
		for part, b := range before {
			if at[part] > b {
				on++
			}
		}
		if on > 0 && first == 0 {
			first = time.Since(since).Seconds()
		}
		if on == len(before) {
			return first, time.Since(since).Seconds(), nil
		}
		if err := i.wait(ctx); err != nil {
			return 0, 0, err
		}
	}
}

// takeOver lets two instances keep copies of each other's partitions and kills now
// this one, now that.
func takeOver(ctx context.Context, c *config, p *place, one *instance, k *kind, progress *log.Logger) error {
	one.end()
	a, err := newInstance(c, p, "a", "input.standbys=1")
	if err != nil {
		return err
	}
	defer func() { a.end() }()
	b, err := newInstance(c, p, "b", "input.standbys=1")
	if err != nil {
		return err
	}
	defer func() { b.end() }()
	for range c.trials {
		if err := ready(ctx, p, a, b); err != nil {
			return err
		}
		t, err := survive(ctx, p, a, b)
		if err != nil {
			return err
		}
		k.trials = append(k.trials, t)
		progress.Printf("%s: the group takes %.2f s, first event %.2f s later, in all partitions %.2f s later", k.name, t.took, t.first, t.all)
		if err := b.start(); err != nil {
			return err
		}
		a, b = b, a
	}
	return nil
}

// survive kills b.
func survive(ctx context.Context, p *place, a, b *instance) (t trial, err error) {
	members, err := p.members(ctx)
	if err != nil {
		return t, err
	}
	theirs := members[b.name]
	b.end()
	killed := time.Now()
	at, err := p.committed(ctx)
	if err != nil {
		return t, err
	}
	maps.DeleteFunc(at, func(part int32, _ int64) bool { return !slices.Contains(theirs, part) })
	given, err := p.given(ctx, a, theirs)
	if err != nil {
		return t, err
	}
	t.took = given.Sub(killed).Seconds()
	t.first, t.all, err = flows(ctx, p, a, at, given)
	return t, err
}

// ready waits until both have partitions, and copies of the other's that are near.
func ready(ctx context.Context, p *place, a, b *instance) error {
	quiet := time.Time{}
	for {
		ok, err := alike(ctx, p, a, b)
		if err != nil {
			return err
		}
		switch {
		case !ok:
			quiet = time.Time{}
		case quiet.IsZero():
			quiet = time.Now()
		case time.Since(quiet) > calm:
			return nil
		}
		if err := errors.Join(a.wait(ctx), b.wait(ctx)); err != nil {
			return err
		}
	}
}

// alike says whether each has half of the partitions and a fresh copy of the rest.
func alike(ctx context.Context, p *place, a, b *instance) (bool, error) {
	members, err := p.members(ctx)
	if err != nil {
		return false, nil //nolint:nilerr // the group may be rebalancing
	}
	at, err := p.committed(ctx)
	if err != nil {
		return false, err
	}
	for _, i := range []*instance{a, b} {
		n := len(members[i.name])
		if n == 0 || n == len(at) {
			return false, nil
		}
		figures, err := i.figures(ctx)
		if err != nil {
			return false, err
		}
		copies := 0
		for name, next := range figures {
			if strings.HasPrefix(name, "dangol_pipeline_standby_next_offset{") {
				copies++
				if at[partition(name)]-int64(next) > int64(i.c.rate) {
					return false, nil
				}
			}
		}
		if copies != len(at)-n {
			return false, nil
		}
	}
	return true, nil
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
