package pipeline

import (
	"maps"
	"math"
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
)

// publisher tells the affinities topic what items go with: those that were in
// orders, the longest waiting first, a few in each transaction, so that it costs
// the same however large the catalogue. What has not changed to a hundredth is
// not said again. Who it waits for is not stored: who begins anew tells all again.
type publisher struct {
	queue []basket.Ref
	state []told // by place
}

type told struct {
	hash   uint64 // of what was last said
	queued bool
}

// want puts items into the queue.
func (p *publisher) want(c *basket.Counts, items []uint64) {
	for _, it := range items {
		ref := c.Ref(it)
		if ref == 0 {
			continue
		}
		for int(ref) >= len(p.state) {
			p.state = append(p.state, told{})
		}
		if !p.state[ref].queued {
			p.state[ref].queued = true
			p.queue = append(p.queue, ref)
		}
	}
}

// publishAffinities says in the open transaction, of the items that wait longest,
// what goes with them. It is for the loop's goroutine, while nobody writes the
// counts.
func (c *Core) publishAffinities() {
	n := min(c.cfg.Basket.Publish, len(c.publisher.queue))
	if n == 0 || len(c.shards) == 0 {
		return
	}
	first := slices.Min(slices.Collect(maps.Keys(c.shards)))
	c.shards[first].touched = true
	out := &c.shards[first].out
	rules := c.rules()
	rec := nextbest.New(c.cfg.NextBest, c.counts, c.dict, c.currentTrends, &rules)
	for _, ref := range c.publisher.queue[:n] {
		state := &c.publisher.state[ref]
		state.queued = false
		it := c.dict.Get(c.counts.Item(ref))
		if it == nil {
			continue
		}
		a := score.ItemAffinities{ItemID: it.ID, AsOf: c.counts.Now()}
		for k := range a.Kinds {
			a.Kinds[k] = rec.Affinities(it.ID, basket.Kind(k), publishedNeighbours)
		}
		if h := affinityHash(&a); h != state.hash {
			state.hash = h
			out.open(Affinities, -1, []byte(it.ID))
			out.arena = c.enc.AppendAffinities(out.arena, &a)
			out.close()
		}
	}
	c.publisher.queue = append(c.publisher.queue[:0], c.publisher.queue[n:]...)
}

// publishedNeighbours is how many neighbours of each kind are told.
const publishedNeighbours = 20

// affinityHash is of who goes with the item, and how well to a hundredth; 0 where
// nothing does.
func affinityHash(a *score.ItemAffinities) (h uint64) {
	for k := range a.Kinds {
		for i := range a.Kinds[k] {
			n := &a.Kinds[k][i]
			h = (h^event.Hash(n.ItemID)+uint64(k))*0x9e3779b97f4a7c15 + uint64(int64(math.Round(n.Confidence*100))) + 1
		}
	}
	return h
}
