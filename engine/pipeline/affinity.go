package pipeline

import (
	"math"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
)

// publisher tells the affinities topic what items go with: those that were in
// orders, the longest waiting first, a few in each transaction, so that it costs
// the same however large the catalogue. What has not changed to a hundredth is
// not said again. Who it waits for is not stored: who begins anew tells all again.
// Each item is one partition's, whose instance tells.
type publisher struct {
	rec   *nextbest.Recommender
	queue []basket.Ref
	head  int    // of queue: told so far
	state []told // by place
	next  basket.Ref
	open  []basket.Ref // told in the open transaction
}

type told struct {
	hash   uint64 // of what was last said
	said   bool   // by this process
	before bool   // perhaps by another, before
	queued bool
}

// want puts items into the queue.
func (p *publisher) want(c *basket.Counts, items []uint64) {
	for _, it := range items {
		p.wait(c.Ref(it))
	}
}

// restore puts an item into the queue of which something may have been said.
func (p *publisher) restore(ref basket.Ref) {
	p.wait(ref)
	p.state[ref].before = true
}

func (p *publisher) wait(ref basket.Ref) {
	if ref == 0 {
		return
	}
	for int(ref) >= len(p.state) {
		p.state = append(p.state, told{})
	}
	if !p.state[ref].queued {
		p.state[ref].queued = true
		p.queue = append(p.queue, ref)
	}
}

// take is whose turn it is; 0: nobody's.
func (p *publisher) take() basket.Ref {
	if len(p.queue) == 0 {
		return 0
	}
	ref := p.queue[p.head]
	p.state[ref].queued = false
	if p.head++; 2*p.head >= len(p.queue) {
		p.queue, p.head = p.queue[:copy(p.queue, p.queue[p.head:])], 0
	}
	return ref
}

// another is the next of all items, whom nothing has happened to: what goes with
// it may be over.
func (p *publisher) another(items int) {
	if p.next++; int(p.next) > items {
		p.next = 1
	}
	if items > 0 {
		p.wait(p.next)
	}
}

// rollback has told again what the transaction told.
func (p *publisher) rollback() {
	for _, ref := range p.open {
		p.state[ref].said, p.state[ref].before = false, true
		p.wait(ref)
	}
	p.open = p.open[:0]
}

// succeed begins to tell of a partition's items: what another has said meanwhile is not
// known.
func (p *publisher) succeed(items func(basket.Ref) bool) {
	for ref := range p.state {
		if s := &p.state[ref]; s.said && items(basket.Ref(ref)) {
			s.said, s.before = false, true
		}
	}
}

// publishAffinities says in the open transaction, of the items that wait longest,
// what goes with them. It is for the loop's goroutine, while nobody writes the
// counts.
func (c *Core) publishAffinities() {
	p := &c.publisher
	p.open = p.open[:0]
	if c.cfg.Basket.Publish == 0 || len(c.shards) == 0 {
		return
	}
	if len(p.queue) == 0 && c.touched() {
		p.another(c.counts.Items())
	}
	for told := 0; told < c.cfg.Basket.Publish; {
		ref := p.take()
		if ref == 0 {
			return
		}
		if s := c.teller(ref); s != nil {
			c.tellAffinities(s, ref, &p.state[ref])
			told++
		}
	}
}

// teller is the shard that tells of an item; nil where it is another instance's.
func (c *Core) teller(ref basket.Ref) *shard { return c.shards[c.tells(ref)] }

// tells is the partition whose owner tells of an item.
func (c *Core) tells(ref basket.Ref) int32 {
	parts := max(len(c.shared.at), 1)
	return int32(c.counts.Item(ref) % uint64(parts))
}

// tellAffinities says what goes with an item, if that is something else than was
// said. Where nothing does any more, the record is taken back.
func (c *Core) tellAffinities(s *shard, ref basket.Ref, state *told) {
	it := c.dict.Get(c.counts.Item(ref))
	if it == nil {
		return
	}
	a := score.ItemAffinities{ItemID: it.ID, AsOf: c.counts.Now()}
	for k := range a.Kinds {
		a.Kinds[k] = c.publisher.rec.Affinities(it.ID, basket.Kind(k), publishedNeighbours)
	}
	h := affinityHash(&a)
	if state.said && h == state.hash || h == 0 && !state.said && !state.before {
		return
	}
	state.said, state.hash = true, h
	c.publisher.open = append(c.publisher.open, ref)
	s.touched = true
	s.out.open(Affinities, -1, []byte(it.ID))
	if h == 0 {
		s.out.tombstone()
		return
	}
	s.out.arena = c.enc.AppendAffinities(s.out.arena, &a)
	s.out.close()
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
