//go:build synctests

package simulate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/state"
)

// life is one process.
type life struct {
	inst   *instance
	line   *line
	cancel context.CancelFunc
	disk   *vfs.MemFS
	store  *state.Store
	core   *pipeline.Core

	killed chan struct{}
	ended  chan struct{} // closed when it was asked to end
	done   chan struct{} // closed when the loop has returned
	err    error         // of the loop
	left   *vfs.MemFS    // what a crash leaves of the disk

	mu       sync.Mutex
	dead     bool
	ending   bool
	assigned []int32
	told     map[int32]int64 // up to where it has read the shared log
}

// killedAt is what a goroutine of a dead process panics with.
type killedAt struct{ step string }

func newLife(i *instance) *life {
	w := i.w
	l := &life{inst: i, disk: i.disk, told: map[int32]int64{}, killed: make(chan struct{}), ended: make(chan struct{}), done: make(chan struct{})}
	l.line = newLine(w, l.kill)
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	cfg := state.DefaultConfig()
	cfg.Dir, cfg.HotBytes, cfg.CacheBytes, cfg.MemTableBytes = "state", 1<<20, 1<<20, 1<<20
	var err error
	l.store, err = state.Open(cfg, l.disk, state.Observer{})
	require.NoError(w.t, err)
	l.core = pipeline.NewCore(w.config(), l.store, encoder{}, func() (pipeline.Decoder, error) { return w.planted.decoder(), nil }, w.now)
	kcfg := w.kafkaConfig(i.name)
	loop := &pipeline.Loop{
		Core: l.core, Cfg: pipeline.LoopConfig{CommitInterval: w.interval, MaxRecords: w.most}, Now: w.now, Log: w.log.With("instance", i.name),
		Share: func(ctx context.Context) (pipeline.SharedLog, error) {
			s, err := kafka.OpenShared(ctx, app, &kcfg, w.log, kgo.Dialer(l.line.dial), kgo.DisableClientMetrics())
			if err != nil {
				return nil, err
			}
			return w.planted.shared(l, &shared{s, l}), nil
		},
		Open: func(ctx context.Context, k pipeline.Keeper) (pipeline.Session, error) {
			var group *kgo.Client
			k = w.planted.keeper(l, &keeper{k, l})
			s, err := kafka.Open(ctx, app, &kcfg, k, w.log.With("instance", i.name), kgo.Dialer(l.line.dial), kgo.DisableClientMetrics(),
				kgo.WithHooks(newClient(func(cl *kgo.Client) { group = cl })))
			if err != nil {
				return nil, err
			}
			w.count("sessions")
			l.setAssigned(nil)
			return &session{Session: w.planted.session(l, &lossy{s, l}, group), life: l}, nil
		},
	}
	go l.run(ctx, loop)
	return l
}

// newClient hears of the client in the group when it is made.
type newClient func(*kgo.Client)

// OnNewClient implements kgo.HookNewClient.
func (f newClient) OnNewClient(cl *kgo.Client) {
	if cl.OptValue(kgo.ConsumerGroup) != "" {
		f(cl)
	}
}

func (l *life) run(ctx context.Context, loop *pipeline.Loop) {
	defer close(l.done)
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killedAt); !ok {
				panic(r)
			}
		}
	}()
	flushed := make(chan struct{})
	fctx, stop := context.WithCancel(ctx)
	defer func() { stop(); <-flushed }()
	go func() {
		defer close(flushed)
		l.flush(fctx)
	}()
	l.err = loop.Run(ctx)
}

// flush brings the state to disk now and then.
func (l *life) flush(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(500+l.inst.w.intN(8_000)) * time.Millisecond):
			if err := l.store.Flush(); err != nil && !errors.Is(err, state.ErrClosed) {
				panic(fmt.Sprint("flush: ", err))
			}
		}
	}
}

// kill ends the process at once: nothing more reaches a broker or the disk.
func (l *life) kill(at string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return
	}
	l.dead = true
	w := l.inst.w
	w.log.Info("kill", "instance", l.inst.name, "at", at)
	w.mu.Lock()
	rng := rand.New(rand.NewPCG(w.rng.Uint64(), 2))
	w.mu.Unlock()
	l.left = l.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	l.line.die()
	l.cancel()
	close(l.killed)
}

// end asks the process to end.
func (l *life) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead || l.ending {
		return
	}
	l.ending = true
	close(l.ended)
	l.cancel()
}

// close gives up what the process held. Of one that was killed the rest of its
// work goes to a disk that nobody sees.
func (l *life) close() {
	l.core.Close()
	_ = l.store.Close()
}

// step is one at which the loop may die or stand still.
func (l *life) step(at string) {
	if l.stepBeside(at) != nil {
		panic(killedAt{at})
	}
}

// stepBeside is step of a goroutine beside the loop.
func (l *life) stepBeside(at string) error {
	w := l.inst.w
	if w.fault("kill " + at) {
		l.kill(at)
	}
	if w.fault("frozen " + at) {
		l.line.freeze(w.long())
	}
	return l.line.gate()
}

func (l *life) setAssigned(ps []int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.assigned = slices.Clone(ps)
}

// heard notes how far it has read the shared log.
func (l *life) heard(at map[int32]int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.Copy(l.told, at)
}

// unheard is the partition of the shared log that it has not read to an end.
func (l *life) unheard(ends map[int32]int64) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p, end := range ends {
		if l.told[p] < end {
			return fmt.Sprintf("instance %s has read the shared log's partition %d to %d of %d", l.inst.name, p, l.told[p], end)
		}
	}
	return ""
}

// has are the partitions that it works on.
func (l *life) has() []int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.assigned)
}

// position is how far the store is with a partition.
func (l *life) position(p int32) (pos pipeline.Position, err error) {
	b, ok, err := l.store.Position(p)
	if err != nil || !ok {
		return pos, err
	}
	return pipeline.DecodePosition(b)
}

// clock is that of a partition, 0 if it is not known.
func (l *life) clock(p int32) int64 {
	for _, s := range l.core.Stats().Partitions {
		if s.Partition == p {
			return s.Clock
		}
	}
	return 0
}
