package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/bench/shop"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

// talker is an engine that tells some pairs and knows every article but one.
type talker struct {
	pipeline.Query
	pairs map[pair]bool
	fault error
}

func (q *talker) Affinities(_ context.Context, item, kind string, k int) (list []score.Affinity, err error) {
	if kind != "same_order" || q.fault != nil {
		return nil, q.fault
	}
	if item == "quinoa" {
		return nil, fmt.Errorf("item %q: %w", item, pipeline.ErrNotFound)
	}
	for p := range q.pairs {
		if p[0] == item {
			list = append(list, score.Affinity{ItemID: p[1]})
		}
	}
	return list[:min(k, len(list))], nil
}

// The report counts what was planted, what follows from it, and what is
// neither; a habit that ended is dropped when it is told no more, for good.
func TestPlantedReport(t *testing.T) {
	const day, half = 86_400_000, 10 * 24 * time.Hour
	q := &talker{pairs: map[pair]bool{}}
	var ending pair
	for _, h := range shop.Affinities() {
		q.pairs[pairOf(h.Item, h.With)] = true
		if h.Ends {
			ending = pairOf(h.Item, h.With)
		}
	}
	require.NotZero(t, ending)
	p := newPlanted(&shop.Config{Start: 1000 * day, Stop: 20 * 24 * time.Hour}, half, q)
	at := func(n int64) string {
		told, err := p.told(t.Context())
		require.NoError(t, err)
		p.look(told, (1000+n)*day)
		var b bytes.Buffer
		p.report(&b, told, (1000+n)*day)
		return b.String()
	}
	require.Equal(t, "affinities: 16 of the 16 planted in the shop found, 0 false\n", at(0))
	q.pairs[pairOf("gnocchi", "malbec")] = true
	require.Equal(t, "affinities: 16 of the 16 planted in the shop found, 0 false\n", at(1))
	q.pairs[pairOf("water", "cola")] = true
	delete(q.pairs, pairOf("diavola", "ginger-ale"))
	require.Equal(t, "affinities: 15 of the 16 planted in the shop found, 1 false\n  cola with water is none\n", at(19))
	delete(q.pairs, pairOf("water", "cola"))
	const fate = "affinities: 14 of the 15 planted in the shop found, 0 false\n  prosecco with olives, given up on 1972-10-17: "
	require.Equal(t, fate+"still found 0.5 half-lives (of 10 days) later\n", at(25))
	delete(q.pairs, ending)
	require.Equal(t, fate+"dropped 0.8 half-lives (of 10 days) later\n", at(28))
	require.Equal(t, fate+"dropped 0.8 half-lives (of 10 days) later\n", at(40))
	q.pairs[ending] = true
	require.Equal(t, fate+"still found 2.5 half-lives (of 10 days) later\n", at(45))
	delete(q.pairs, ending)
	require.Equal(t, fate+"dropped 3.0 half-lives (of 10 days) later\n", at(50))

	p = newPlanted(&shop.Config{Start: 1000 * day, Stop: 20 * 24 * time.Hour}, half, q)
	require.Equal(t, fate+"never found\n", at(50))
	q.fault = errors.New("not ready")
	_, err := p.told(t.Context())
	require.ErrorIs(t, err, q.fault)
}
