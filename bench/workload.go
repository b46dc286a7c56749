// Package bench holds the workloads and the measurements behind "dangol bench"
// and "go test -bench": what an event costs, stage by stage, beside what
// reading it from Kafka costs at the least.
package bench

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/dangol-dev/dangol/engine/event"
)

// Workload is a stream of Segment track calls of some 250 bytes, 85 % of them
// views. It is made of sessions, as a shop's is: some thousand customers are
// there at a time, each for six events on average; who comes is drawn by Zipf's
// law. It follows from its seed.
type Workload struct {
	customers uint64
	seed      uint64

	rng      *rand.Rand
	zipf     *rand.Zipf
	items    *rand.Zipf
	sessions [2000]session
	n        int
	at       int64 // Unix ms of the next event
	buf      []byte
	id       []byte
}

// session is one visit that goes on.
type session struct {
	customer uint64
	left     int // events
}

const (
	cartShare     = 0.07 // of the events; the rest are views
	orderShare    = 0.08
	sessionEvents = 6 // on average
)

// NewWorkload starts the stream; its events are 50 ms apart, the first on
// 2026-01-01.
func NewWorkload(customers, items int, seed uint64) *Workload {
	rng := rand.New(rand.NewPCG(seed, 0))
	return &Workload{
		customers: uint64(customers), seed: seed, rng: rng,
		// The head is flattened: the busiest customer is a busy person, no robot.
		zipf:  rand.NewZipf(rng, 1.05, max(1, float64(customers)/1000), uint64(customers-1)),
		items: rand.NewZipf(rng, 1.1, 20, uint64(items-1)),
		at:    time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(),
	}
}

// Record is one record: its bytes hold until the next call.
type Record struct {
	Key, Value []byte
	Type       event.Type
}

// Next is the next event of the stream.
func (w *Workload) Next() Record {
	s := &w.sessions[w.rng.IntN(len(w.sessions))]
	if s.left == 0 {
		// The ranks are spread over the ids, so that neighbours in rank share no
		// partition and no page.
		s.customer = (w.zipf.Uint64()*0x9e3779b97f4a7c15>>20 + w.seed) % w.customers
		s.left = 1 + w.rng.IntN(2*sessionEvents-1)
	}
	s.left--
	return w.event(s.customer, w.draw())
}

// Visit is a view by customer c: to fill the state.
func (w *Workload) Visit(c int) Record { return w.event(uint64(c), event.ProductViewed) }

func (w *Workload) draw() event.Type {
	switch u := w.rng.Float64(); {
	case u < orderShare:
		return event.OrderCompleted
	case u < orderShare+cartShare:
		return event.ProductAdded
	}
	return event.ProductViewed
}

func (w *Workload) event(c uint64, t event.Type) Record {
	w.n++
	w.at += 50
	w.id = strconv.AppendUint(append(w.id[:0], "user-"...), c, 10)
	b := append(w.buf[:0], `{"type":"track","messageId":"ajs-`...)
	b = strconv.AppendInt(b, int64(w.n), 36)
	b = append(b, `","userId":"`...)
	b = append(b, w.id...)
	b = append(b, `","timestamp":"`...)
	b = time.UnixMilli(w.at).UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","event":"`...)
	switch t {
	case event.OrderCompleted:
		b = append(b, `Order Completed","properties":{"order_id":"o`...)
		b = strconv.AppendInt(b, int64(w.n), 36)
		b = append(b, `","currency":"EUR","revenue":`...)
		b = strconv.AppendInt(b, int64(5+w.rng.IntN(200)), 10)
		b = append(b, `.90,"products":[`...)
		for i := range 1 + w.rng.IntN(3) {
			if i > 0 {
				b = append(b, ',')
			}
			b = w.product(append(b, '{'))
			b = append(b, '}')
		}
		b = append(b, `]},"context":{}}`...)
	case event.ProductAdded:
		b = w.product(append(b, `Product Added","properties":{`...))
		b = append(b, `,"cart_id":"k1","quantity":1},"context":{"ip":"203.0.113.7"}}`...)
	default:
		b = w.product(append(b, `Product Viewed","properties":{`...))
		b = append(b, `},"context":{"ip":"203.0.113.7","locale":"de-DE"}}`...)
	}
	w.buf = b
	return Record{Key: w.id, Value: b, Type: t}
}

func (w *Workload) product(b []byte) []byte {
	i := w.items.Uint64()
	b = append(b, `"product_id":"sku-`...)
	b = strconv.AppendUint(b, i, 10)
	b = append(b, `","category":"cat-`...)
	b = strconv.AppendUint(b, i%40, 10)
	b = append(b, `","price":`...)
	b = strconv.AppendUint(b, 1+i%97, 10)
	return append(b, ".5"...)
}
