//go:build synctests

package simulate

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/score"
)

// bubbleStart is the time at which a bubble's clock begins.
var bubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// inputRecord is a record of the input topic.
type inputRecord struct {
	partition int32
	key       string
	value     []byte // empty: it cannot be decoded
}

// input is what goes in.
type input struct {
	events  []event.Event // in the order of their arrival, some twice
	records []inputRecord
}

// newInput makes a stream with what the facts care about: orders and refunds, views,
// erasures, repeated deliveries, events some hours late, records that are none.
func newInput(rng *rand.Rand, n, customers int, partitions int32) *input {
	at := bubbleStart.Add(-92 * 24 * time.Hour).UnixMilli()
	step := int64(60*24*time.Hour/time.Millisecond) / int64(n)
	in := &input{}
	for i := range n {
		at = min(at+rng.Int64N(2*step), bubbleStart.Add(-time.Hour).UnixMilli())
		e := event.Event{
			ID: fmt.Sprintf("e%d", i), CustomerID: fmt.Sprintf("c%d", rng.IntN(customers)), Time: at,
			Type: event.ProductViewed, Items: []event.Item{{ID: fmt.Sprintf("i%d", rng.IntN(6)), Quantity: event.One}},
		}
		switch k := rng.IntN(10); {
		case k < 5:
			e.Type, e.OrderID = event.OrderCompleted, fmt.Sprintf("o%d", i)
			e.Amount, e.HasAmount = event.Micro(1+rng.IntN(100))*event.One, true
			e.Items = append(e.Items, event.Item{ID: fmt.Sprintf("j%d", rng.IntN(6)), Quantity: event.One})
		case k == 5 && i > 10:
			e.Type, e.OrderID, e.Items = event.OrderRefunded, fmt.Sprintf("o%d", i-rng.IntN(10)), nil
			e.Amount, e.HasAmount = event.One, true
		case k == 6 && rng.IntN(4) == 0:
			e.Type, e.Items = event.ErasureRequested, nil
		}
		in.events = append(in.events, e)
		if rng.IntN(10) == 0 {
			in.events = append(in.events, e)
		}
	}
	for i := range in.events {
		j := min(len(in.events)-1, i+rng.IntN(3))
		in.events[i], in.events[j] = in.events[j], in.events[i]
	}
	for i := range in.events {
		e := &in.events[i]
		p := int32(event.Hash(e.CustomerID) % uint64(partitions))
		if rng.IntN(12) == 0 {
			in.records = append(in.records, inputRecord{partition: p, key: "nobody"})
		}
		value, err := json.Marshal(e)
		if err != nil {
			panic(err)
		}
		in.records = append(in.records, inputRecord{p, e.CustomerID, value})
	}
	return in
}

// decoder decodes what newInput encodes.
type decoder struct{}

func (decoder) Decode(data []byte, ev *event.Event) error {
	if len(data) == 0 {
		return &event.Reject{Reason: event.Empty, Offset: -1}
	}
	return json.Unmarshal(data, ev)
}

func (decoder) Release() {}

// encoder writes what the checks need.
type encoder struct{}

func (encoder) AppendScores(dst []byte, s *score.Scores) []byte {
	return fmt.Appendf(dst, "%d", s.Version)
}

func (encoder) AppendChange(dst []byte, c *score.Change, _ []byte) []byte {
	doc := "scored"
	if c.Scores == nil {
		doc = "erased"
	}
	return fmt.Appendf(dst, "%d %s %s%s %d %d %s", c.Version, c.Cause.Kind, c.Cause.Timer, c.Cause.EventID, len(c.Changed), c.At, doc)
}

func (encoder) AppendAffinities(dst []byte, a *score.ItemAffinities) []byte {
	return append(dst, a.ItemID...)
}

func (encoder) AppendModels(dst []byte, l *score.Learned) []byte {
	b, err := json.Marshal(l)
	if err != nil {
		panic(err)
	}
	return append(dst, b...)
}

func (encoder) ParseModels(b []byte) (*score.Learned, error) {
	l := new(score.Learned)
	return l, json.Unmarshal(b, l)
}
