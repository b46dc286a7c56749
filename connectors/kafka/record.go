package kafka

import (
	"math/bits"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

func fromKafka(hs []kgo.RecordHeader) []pipeline.Header {
	if len(hs) == 0 {
		return nil
	}
	out := make([]pipeline.Header, len(hs))
	for i, h := range hs {
		out[i] = pipeline.Header{Key: h.Key, Value: h.Value}
	}
	return out
}

func toKafka(hs []pipeline.Header) []kgo.RecordHeader {
	if len(hs) == 0 {
		return nil
	}
	out := make([]kgo.RecordHeader, len(hs))
	for i, h := range hs {
		out[i] = kgo.RecordHeader{Key: h.Key, Value: h.Value}
	}
	return out
}

const blockLen = 4096

// block hands out records that do not move and are used again in the next
// transaction: the client keeps pointers into it until a transaction ends.
type block struct {
	chunks [][]kgo.Record
	n      int
}

func (b *block) next() *kgo.Record {
	if b.n == len(b.chunks)*blockLen {
		b.chunks = append(b.chunks, make([]kgo.Record, blockLen))
	}
	r := &b.chunks[b.n/blockLen][b.n%blockLen]
	b.n++
	return r
}

func (b *block) reset() { b.n = 0 }

func (b *block) each(fn func(*kgo.Record)) {
	for i := range b.n {
		fn(&b.chunks[i/blockLen][i%blockLen])
	}
}

// pools give the client's fetches their memory back, by size class: one fixed
// size would hold a large buffer for every small batch.
type pools struct {
	bytes, records [32]sync.Pool
}

// NewPools returns the memory pools of one client.
func NewPools() kgo.Pool { return new(pools) }

// class is the power of two that holds n; put uses the one that n fills.
func class(n int) int { return bits.Len(uint(max(n, 1) - 1)) }

// GetDecompressBytes implements kgo.PoolDecompressBytes.
func (p *pools) GetDecompressBytes(compressed []byte, _ kgo.CompressionCodecType) []byte {
	c := class(4 * len(compressed))
	if c >= len(p.bytes) {
		return make([]byte, 0, 4*len(compressed))
	}
	if b, ok := p.bytes[c].Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 0, 1<<c)
}

// PutDecompressBytes implements kgo.PoolDecompressBytes.
func (p *pools) PutDecompressBytes(b []byte) {
	if c := bits.Len(uint(cap(b))) - 1; c >= 0 && c < len(p.bytes) {
		p.bytes[c].Put(&b)
	}
}

// GetRecords implements kgo.PoolRecords.
func (p *pools) GetRecords(n int) []kgo.Record {
	c := class(n)
	if c >= len(p.records) {
		return make([]kgo.Record, n)
	}
	if r, ok := p.records[c].Get().(*[]kgo.Record); ok {
		return *r
	}
	return make([]kgo.Record, 1<<c)
}

// PutRecords implements kgo.PoolRecords.
func (p *pools) PutRecords(r []kgo.Record) {
	if c := bits.Len(uint(cap(r))) - 1; c >= 0 && c < len(p.records) {
		p.records[c].Put(&r)
	}
}
