//go:build synctests

package simulate

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// planted is a fault in the program, put in at its ports. The zero planted is none.
type planted struct {
	mu          sync.Mutex
	rates       map[string]int // of faults, instead of those of the seed
	troubles    []string       // from outside, instead of all
	scenario    func(*scenario)
	onSession   func(l *life, s pipeline.Session, group *kgo.Client) pipeline.Session
	onKeeper    func(l *life, k pipeline.Keeper) pipeline.Keeper
	onSharedLog func(l *life, s pipeline.SharedLog) pipeline.SharedLog
	onDecoder   func(pipeline.Decoder) pipeline.Decoder
}

// rate is that of a fault where the planted one needs it.
func (f *planted) rate(name string, rate int) int {
	if r, ok := f.rates[name]; ok {
		return r
	}
	return rate
}

func (f *planted) decoder() pipeline.Decoder {
	if f.onDecoder != nil {
		return f.onDecoder(decoder{})
	}
	return decoder{}
}

func (f *planted) shared(l *life, s pipeline.SharedLog) pipeline.SharedLog {
	if f.onSharedLog != nil {
		return f.onSharedLog(l, s)
	}
	return s
}

func (f *planted) keeper(l *life, k pipeline.Keeper) pipeline.Keeper {
	if f.onKeeper != nil {
		return f.onKeeper(l, k)
	}
	return k
}

func (f *planted) session(l *life, s pipeline.Session, group *kgo.Client) pipeline.Session {
	if f.onSession != nil {
		return f.onSession(l, s, group)
	}
	return s
}
