package pipeline

import (
	"cmp"
	"container/heap"
	"context"
	"slices"

	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// sample is the part of the buyers that is learned from: those with the lowest
// hashes, so that it is the same whoever comes first.
type sample struct {
	most int
	in   map[uint64]bool
	top  sampledHeap // the highest hash first
}

// sampled is a buyer of the sample.
type sampled struct {
	hash      uint64
	partition int32
	facts     []byte
}

func newSample(most int) *sample { return &sample{most: most, in: map[uint64]bool{}} }

// wants says whether a customer of that hash belongs to the sample and is not
// in it.
func (s *sample) wants(hash uint64) bool {
	return (len(s.top) < s.most || len(s.top) > 0 && hash < s.top[0].hash) && !s.in[hash]
}

func (s *sample) add(c sampled) {
	if !s.wants(c.hash) {
		return
	}
	s.in[c.hash] = true
	heap.Push(&s.top, c)
	if len(s.top) > s.most {
		delete(s.in, heap.Pop(&s.top).(sampled).hash)
	}
}

// sorted are those of the sample by hash.
func (s *sample) sorted() []sampled {
	return slices.SortedFunc(slices.Values(s.top), func(a, b sampled) int { return cmp.Compare(a.hash, b.hash) })
}

// sampleAt is the sample of those of some partitions who had an order that stood at
// an instant, with a hash below or at one. It scans every customer and decodes few.
// (To keep a sample up to date beside the stream was tried: who is in it then hangs
// on when somebody was erased, and on when the process was last started.)
func (c *Core) sampleAt(ctx context.Context, rules *ledger.Rules, at int64, parts []int32, below uint64) (*sample, error) {
	buyers := newSample(c.cfg.Score.Learn.Sample)
	var led, then ledger.Ledger
	for _, p := range parts {
		err := c.store.Scan(p, []byte{customerKey}, func(key, val []byte, _ int64) error {
			h := score.HashOf(string(key[1:]))
			if h > below || !buyers.wants(h) {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			facts, _, err := splitBlob(val)
			if err != nil {
				return err
			}
			if err := ledger.DecodeFacts(facts, &led, rules.Intern); err != nil {
				return err
			}
			led.Before(at, rules, &then)
			if sales := then.Sales(rules); !nobody(&then) && (then.Fold.Orders > 0 || sales.Next()) {
				buyers.add(sampled{h, p, slices.Clone(facts)})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return buyers, nil
}

type sampledHeap []sampled

func (h sampledHeap) Len() int           { return len(h) }
func (h sampledHeap) Less(i, j int) bool { return h[i].hash > h[j].hash }
func (h sampledHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *sampledHeap) Push(x any)        { *h = append(*h, x.(sampled)) }
func (h *sampledHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
