package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/dangol-dev/dangol/bench/shop"
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

// planted holds what the engine tells of a simulated shop's articles against
// the habits of the shop's customers. Instants are Unix milliseconds of the shop's
// time.
type planted struct {
	stop     int64 // at which habits end; 0: never
	halfLife time.Duration
	ask      func(ctx context.Context, item, kind string, k int) ([]score.Affinity, error) // pipeline.Query's

	known map[pair]bool  // of those that end, which were told at all
	gone  map[pair]int64 // and since when they are not told any more
}

// pair is two articles, the lesser id first.
type pair [2]string

func pairOf(a, b string) pair { return pair{min(a, b), max(a, b)} }

func newPlanted(c *shop.Config, halfLife time.Duration, q pipeline.Query) *planted {
	p := &planted{halfLife: halfLife, ask: q.Affinities, known: map[pair]bool{}, gone: map[pair]int64{}}
	if c.Stop > 0 {
		p.stop = c.Start + c.Stop.Milliseconds()
	}
	return p
}

func (p *planted) ended(h *shop.Affinity, now int64) bool {
	return h.Ends && p.stop > 0 && now >= p.stop
}

// told are all pairs of which the engine says at present that they are bought
// together.
func (p *planted) told(ctx context.Context) (map[pair]bool, error) {
	items, told := shop.Items(), map[pair]bool{}
	for _, it := range items {
		list, err := p.ask(ctx, it.ID, basket.SameOrder.String(), len(items))
		if errors.Is(err, pipeline.ErrNotFound) {
			continue // nobody has bought it yet
		}
		if err != nil {
			return nil, err
		}
		for i := range list {
			told[pairOf(it.ID, list[i].ItemID)] = true
		}
	}
	return told, nil
}

// look notes what becomes of the habits that end.
func (p *planted) look(told map[pair]bool, now int64) {
	for _, h := range shop.Affinities() {
		at := pairOf(h.Item, h.With)
		switch {
		case told[at]:
			p.known[at] = p.known[at] || h.Ends
			delete(p.gone, at)
		case p.known[at] && p.gone[at] == 0 && p.ended(&h, now):
			p.gone[at] = now
		}
	}
}

// report says how many of the habits are told, how many other pairs are, and
// what has become of the habits that ended.
func (p *planted) report(out io.Writer, told map[pair]bool, now int64) {
	var habits, ended []shop.Affinity
	for _, h := range shop.Affinities() {
		if p.ended(&h, now) {
			ended = append(ended, h)
		} else {
			habits = append(habits, h)
		}
	}
	found, wrong := 0, map[pair]bool{}
	for at := range told {
		wrong[at] = true
	}
	for _, h := range habits {
		if told[pairOf(h.Item, h.With)] {
			found++
		}
		delete(wrong, pairOf(h.Item, h.With))
	}
	for _, at := range shop.Implied(habits) {
		delete(wrong, pairOf(at[0], at[1]))
	}
	for _, h := range ended { // of these is told below
		delete(wrong, pairOf(h.Item, h.With))
	}
	fmt.Fprintf(out, "affinities: %d of the %d planted in the shop found, %d false\n", found, len(habits), len(wrong))
	for _, at := range slices.SortedFunc(maps.Keys(wrong), func(a, b pair) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }) {
		fmt.Fprintf(out, "  %s with %s is none\n", at[0], at[1])
	}
	for i := range ended {
		fmt.Fprintf(out, "  %s\n", p.fate(&ended[i], now))
	}
}

// fate tells of a habit that ended.
func (p *planted) fate(h *shop.Affinity, now int64) string {
	at := pairOf(h.Item, h.With)
	words := fmt.Sprintf("%s with %s, given up on %s: ", h.Item, h.With, time.UnixMilli(p.stop).UTC().Format(time.DateOnly))
	since := func(t int64) string {
		return fmt.Sprintf("%.1f half-lives (of %.0f days) later", float64(t-p.stop)/float64(p.halfLife.Milliseconds()), p.halfLife.Hours()/24)
	}
	switch {
	case !p.known[at]:
		return words + "never found"
	case p.gone[at] == 0:
		return words + "still found " + since(now)
	default:
		return words + "dropped " + since(p.gone[at])
	}
}
