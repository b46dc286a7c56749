package pipeline

import (
	"container/heap"

	"github.com/dangol-dev/dangol/engine/score"
)

// sample is the part of the buyers that is learned from: those with the lowest
// hashes, so that it is the same whoever came first, and that the samples of
// several partitions merge. It is linear in nothing: who is in it was never
// taken out but by lower hashes.
type sample struct {
	most int
	in   map[uint64]bool
	top  sampledHeap // the highest hash first
}

// sampled is a customer of the sample.
type sampled struct {
	hash      uint64
	partition int32
	id        string
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

// meet adds a buyer met in the store.
func (s *sample) meet(partition int32, id []byte) {
	if h := score.HashOf(string(id)); s.wants(h) {
		s.add(sampled{h, partition, string(id)})
	}
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
