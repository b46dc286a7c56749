package oracle

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/bench/shop"
	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/connectors/encode"
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

// topics are what a run leaves: partition 0 has good records, partition 1 broken
// ones.
type topics struct {
	input                           []Record
	changes, scores, letters, state []Record
	committed                       map[int32]int64
	store                           *state.Store
}

// limit lies between the events and the one of the far future.
var limit = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func testConfig(t testing.TB) Config {
	t.Helper()
	c := Config{Topic: "events", Decode: decode.DefaultConfig(), Ledger: ledger.DefaultConfig(), Score: score.DefaultConfig(), Limit: limit}
	c.Score.Offers, c.Score.Learn.Sample = 0, 0
	c.Score.RFM.Cuts = "fixed"
	c.Score.RFM.Fixed.Recency = []float64{5, 10, 20, 40}
	c.Score.RFM.Fixed.Frequency = []float64{1, 2, 4, 8}
	c.Score.RFM.Fixed.Monetary = []float64{50, 100, 200, 400}
	require.NoError(t, c.Validate())
	return c
}

// honest are the topics that the real engine leaves, but for the dead letters,
// which are written here by hand.
func honest(t testing.TB, events int) *topics {
	t.Helper()
	w := &topics{committed: map[int32]int64{}}
	sc := shop.DefaultConfig()
	sc.Customers, sc.MalformedShare = max(events/150, 20), 0
	s := shop.New(sc)
	for range events {
		r := s.Next()
		w.input = append(w.input, Record{Offset: int64(len(w.input)), Key: []byte(r.Customer), Value: WithoutCategories(nil, r.Value)})
	}
	w.run(t)
	for i, m := range shop.Malformed() {
		w.broken(i, m)
	}
	end := pipeline.Position{Next: int64(len(shop.Malformed()))}
	w.state = append(w.state, Record{Partition: 1, Key: binary.BigEndian.AppendUint32([]byte{'p'}, 1), Value: end.Append(nil)})
	w.committed[1] = end.Next
	return w
}

// run has the engine work through partition 0, a few records a transaction.
func (w *topics) run(t testing.TB) {
	c := testConfig(t)
	st := state.DefaultConfig()
	st.Dir = "state"
	disk := vfs.NewMem()
	store, err := state.Open(st, disk, state.Observer{})
	require.NoError(t, err)
	core := pipeline.NewCore(pipeline.Config{
		Ledger: c.Ledger, Score: c.Score, Basket: basket.DefaultConfig(), NextBest: nextbest.DefaultConfig(), Zone: time.UTC,
		Topic: c.Topic, Late: pipeline.ApplyLate, Clock: pipeline.EventClock, ClockLag: c.Ledger.Lateness, Sweep: 16,
	}, store, encode.JSON{}, func() (pipeline.Decoder, error) { return decode.NewJSON(c.Decode) }, time.Now)
	defer core.Close()
	dec, err := decode.NewJSON(c.Decode)
	require.NoError(t, err)
	newest, n := int64(0), 0
	next := func(ev *event.Event) error {
		if n == len(w.input) {
			return io.EOF
		}
		n++
		require.NoError(t, dec.Decode(w.input[n-1].Value, ev))
		newest = max(newest, ev.Time)
		return nil
	}
	replay := &pipeline.Replay{Core: core, Batch: 150, Output: w.collect}
	_, err = replay.Run(t.Context(), next, 1) // the clock stays where the events left it
	require.NoError(t, err)
	w.committed[0] = int64(n)
	require.NoError(t, store.Close())
	w.store, err = state.Open(st, disk, state.Observer{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.store.Close()) })
}

// collect keeps a transaction's outputs; the changelog's commit record comes last.
func (w *topics) collect(outs []pipeline.Output) error {
	for _, o := range outs {
		r := Record{Partition: max(o.Partition, 0), Key: bytes.Clone(o.Key), Value: bytes.Clone(o.Value)}
		to := map[pipeline.Topic]*[]Record{pipeline.Changes: &w.changes, pipeline.Scores: &w.scores, pipeline.Changelog: &w.state}[o.To]
		if to == nil {
			continue // affinities
		}
		r.Offset = int64(len(*to))
		*to = append(*to, r)
	}
	return nil
}

// broken adds a malformed record and its dead letter.
func (w *topics) broken(i int, m shop.Malformation) {
	r := Record{Partition: 1, Offset: int64(i), Key: []byte("k"), Value: m.Value, Headers: []Header{{"offset", []byte("the producer's own")}}}
	w.input = append(w.input, r)
	hs := []Header{{"reason", []byte(m.Reason)}, {"topic", []byte("events")}, {"partition", []byte("1")}, {"offset", []byte(strconv.Itoa(i))}}
	if field := fieldOf(m.Value); field != "" {
		hs = append(hs, Header{"field", []byte(field)})
	}
	w.letters = append(w.letters, Record{Offset: int64(i), Key: r.Key, Value: m.Value, Headers: append(hs, r.Headers...)})
}

// fieldOf is the field at fault, by the decoder; what it takes is too late.
func fieldOf(value []byte) string {
	dec, _ := decode.NewJSON(decode.DefaultConfig())
	var ev event.Event
	if rej, ok := dec.Decode(value, &ev).(*event.Reject); ok {
		return rej.Field
	}
	return "time" // of the far future
}

func (w *topics) clone() *topics {
	c := *w
	c.changes, c.scores, c.letters, c.state = slices.Clone(w.changes), slices.Clone(w.scores), slices.Clone(w.letters), slices.Clone(w.state)
	c.committed = map[int32]int64{}
	for p, n := range w.committed {
		c.committed[p] = n
	}
	return &c
}

// want is what the oracle makes of the input.
func (w *topics) want(t testing.TB) *Want {
	t.Helper()
	want := NewWant()
	o, err := New(testConfig(t), want)
	require.NoError(t, err)
	for i := range w.input {
		require.NoError(t, o.Record(&w.input[i]))
	}
	want.Close(o.End())
	return want
}

// check is the checker's answer.
func (w *topics) check(want *Want) (Counts, []Finding) {
	c := NewChecker(want)
	each := func(rs []Record, fn func(*Record)) {
		for i := range rs {
			fn(&rs[i])
		}
	}
	each(w.changes, c.Change)
	each(w.scores, c.Score)
	each(w.letters, c.Letter)
	each(w.state, c.Log)
	return c.Finish(w.committed, nil)
}

// logValue is what a changelog record stores, and the due time before it.
func logValue(value []byte) (val []byte, due int64) {
	due, n := binary.Varint(value)
	return value[n:], due
}
