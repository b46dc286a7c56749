package bench

import (
	"context"
	"log/slog"
	"time"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/connectors/encode"
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

// Path is the engine without Kafka: records come from memory, what is produced
// is dropped, everything else is real.
type Path struct {
	loop pipeline.Loop
	feed feed
}

// NewPath returns the path over a store.
func NewPath(store *state.Store) *Path {
	cfg := pipeline.Config{
		Ledger: ledger.DefaultConfig(), Score: score.DefaultConfig(), Basket: basket.DefaultConfig(),
		NextBest: nextbest.DefaultConfig(), Zone: time.UTC, Topic: "events", Late: pipeline.ApplyLate,
		Clock: pipeline.EventClock, ClockLag: 24 * time.Hour, FutureSkew: 10 * 365 * 24 * time.Hour,
	}
	dec := func() (pipeline.Decoder, error) {
		d, err := decode.NewJSON(decode.DefaultConfig())
		if err == nil {
			d.Hold = true
		}
		return d, err
	}
	return &Path{loop: pipeline.Loop{
		Core: pipeline.NewCore(cfg, store, encode.JSON{}, dec, time.Now),
		Cfg:  pipeline.LoopConfig{CommitInterval: time.Second, MaxRecords: 50_000},
		Now:  time.Now, Log: slog.New(slog.DiscardHandler),
	}}
}

// Run takes the records through, a batch a transaction.
func (p *Path) Run(ctx context.Context, batches [][]pipeline.Record) error {
	p.feed.batches = batches
	ctx, p.feed.stop = context.WithCancel(ctx)
	p.loop.Open = func(ctx context.Context, keeper pipeline.Keeper) (pipeline.Session, error) {
		_, err := keeper.Restore(ctx, pipeline.Assignment{Committed: -1}, &p.feed)
		return &p.feed, err
	}
	defer p.loop.Core.Close()
	return p.loop.Run(ctx)
}

// Stats are the core's.
func (p *Path) Stats() pipeline.Stats { return p.loop.Core.Stats() }

// feed is a session without a broker.
type feed struct {
	batches [][]pipeline.Record
	stop    context.CancelFunc
	Bytes   int64 // produced
	Outputs int64
}

func (f *feed) Assigned() []int32                                              { return []int32{0} }
func (f *feed) Ends(context.Context, map[int32]int64) (map[int32]int64, error) { return nil, nil }

func (f *feed) Begin() error { return nil }
func (f *feed) Close()       {}

func (f *feed) Poll(ctx context.Context, _ int) ([]pipeline.Batch, error) {
	if len(f.batches) == 0 {
		f.stop()
		return nil, nil
	}
	b := pipeline.Batch{Records: f.batches[0], End: 1 << 60, EndAt: time.Now().UnixMilli()}
	f.batches = f.batches[1:]
	return []pipeline.Batch{b}, nil
}

func (f *feed) Produce(outs []pipeline.Output) {
	for i := range outs {
		f.Bytes += int64(len(outs[i].Key) + len(outs[i].Value))
	}
	f.Outputs += int64(len(outs))
}

func (f *feed) End(context.Context, bool, map[int32]int64) (bool, map[int32]int64, error) {
	return true, nil, nil
}

func (f *feed) Read(context.Context, int32, int64, func([]pipeline.LogRecord, int64) error) (int64, error) {
	return 0, nil
}

func (f *feed) Follow(context.Context, int32, int64, func([]pipeline.LogRecord) error) error {
	return nil
}

// Records makes batches of records in memory: a visit of every customer where
// visits is set, or n events.
func Records(w *Workload, offset int64, n, batch int, visits bool) [][]pipeline.Record {
	var out [][]pipeline.Record
	var cur []pipeline.Record
	for i := range n {
		r := Record{}
		if visits {
			r = w.Visit(i)
		} else {
			r = w.Next()
		}
		cur = append(cur, pipeline.Record{Offset: offset + int64(i), Key: append([]byte(nil), r.Key...), Value: append([]byte(nil), r.Value...)})
		if len(cur) == batch || i == n-1 {
			out, cur = append(out, cur), nil
		}
	}
	return out
}
