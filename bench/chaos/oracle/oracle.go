// Package oracle says what dangol should have said, and counts where it said
// something else.
//
// An Oracle reads the input once, a partition after the other, and works out with
// the ledger and the scorer alone what every customer's changes are: no
// pipeline, no store, no transactions, no timers but a customer's own next one,
// looked at when the customer comes up. That is enough because with fixed cut
// points, no offers, nothing learned and time moved by events alone, a customer's
// changes follow from its own records and from the newest event time of its
// partition. It shares engine/ledger, engine/score and the wire formats with what
// it judges; a fault in these it does not see.
//
// A Checker holds what was expected against the topics as a read_committed
// consumer sees them, the state that the changelog gives when it is replayed, the
// stores of the instances, and the group's offsets. It counts five things:
//
//   - lost: an expected change, dead letter or customer is nowhere, or a
//     partition ended before the end of its input.
//   - doubled: a version of a customer's change or document, or a dead letter,
//     is there more than once.
//   - reordered: in a partition's log a version comes after a later one of the
//     same customer, or a commit record after one that is further on.
//   - torn: parts of one transaction contradict each other. The latest document
//     or the state is not of the latest change, or the group's offset is not that
//     of the commit record.
//   - wrong: bytes differ from what they should be, or nobody asked for them.
//
// A missing change is counted as lost once for each, and not again as torn by the
// change's absence alone.
package oracle

import (
	"errors"
	"fmt"
	"time"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/connectors/encode"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

// Config is the part of the engine's configuration that the scores hang on.
type Config struct {
	Topic  string // of the input, for the headers of dead letters
	Decode decode.Config
	Ledger ledger.Config
	Score  score.Config
	// Limit, Unix ms, divides the events that the engine takes from those that it
	// refuses as of the future. The engine's own moves with the wall clock: no
	// event may lie between the two.
	Limit int64
}

// Validate says why changes under this configuration would not be a function of
// the input alone.
func (c *Config) Validate() error {
	var errs []error
	if _, fixed := c.Score.RFM.FixedCuts(); !fixed {
		errs = append(errs, errors.New("rfm.cuts: live cut points hang on when they were published; want fixed"))
	}
	if c.Score.Offers != 0 {
		errs = append(errs, errors.New("offers: they hang on when other customers' baskets were counted; want 0"))
	}
	if c.Score.Learn.Sample != 0 {
		errs = append(errs, errors.New("learn.sample: models hang on when they were published; want 0"))
	}
	return errors.Join(append(errs, c.Score.Validate())...)
}

// Sink takes in what should be said. Bytes hold during the call.
type Sink interface {
	// Change is a customer's next change; doc is its document, nil where the
	// customer was erased.
	Change(partition int32, id string, version uint64, change, doc []byte)
	// Letter is the dead letter of an input record.
	Letter(l *Letter)
}

// Oracle works through partitions' records. It serves one goroutine.
type Oracle struct {
	cfg    Config
	rules  ledger.Rules
	dec    *decode.JSON
	maker  *score.Scorer
	models *score.Models
	parts  map[int32]*Partition
	sink   Sink

	doc         score.Scores
	change      score.Change
	deltas      []score.Delta
	text, bytes []byte
}

// Partition is an input partition at the end of its records.
type Partition struct {
	Next      int64 // offset after the last record
	MaxTime   int64 // Unix ms of the newest event; 0: none
	Clock     int64 // Unix ms up to which timers have fired; 0: none
	Customers map[string]*Customer
}

// Customer is what is known and was last said of a customer.
type Customer struct {
	Facts    ledger.Ledger
	Emission score.Emission
}

// New returns an Oracle that tells a sink.
func New(cfg Config, sink Sink) (*Oracle, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	dec, err := decode.NewJSON(cfg.Decode)
	if err != nil {
		return nil, err
	}
	rules := cfg.Ledger.Rules(ledger.NewCalendar(time.UTC))
	return &Oracle{
		cfg: cfg, rules: rules, dec: dec, sink: sink,
		maker:  score.NewScorer(cfg.Score, rules, nil),
		models: score.MustModels(&cfg.Score, score.BuiltIn(cfg.Score.HorizonDays)),
		parts:  map[int32]*Partition{},
	}, nil
}

// Record takes in the next record of its partition.
func (o *Oracle) Record(r *Record) error {
	p := o.parts[r.Partition]
	if p == nil {
		p = &Partition{Customers: map[string]*Customer{}}
		o.parts[r.Partition] = p
	}
	if r.Offset < p.Next {
		return fmt.Errorf("oracle: partition %d: offset %d comes after %d", r.Partition, r.Offset, p.Next-1)
	}
	p.Next = r.Offset + 1
	var ev event.Event
	var rej *event.Reject
	if err := o.dec.Decode(r.Value, &ev); err != nil && !errors.As(err, &rej) {
		return err
	} else if err == nil && ev.Time > o.cfg.Limit {
		rej = &event.Reject{Reason: event.FutureTime, Field: "time"}
	}
	if rej != nil {
		o.sink.Letter(letterOf(o.cfg.Topic, r, rej))
		return nil
	}
	o.apply(p, r.Partition, &ev)
	return nil
}

// apply tells the customer's crossings up to the event, then what the event
// changes.
func (o *Oracle) apply(p *Partition, part int32, ev *event.Event) {
	if ev.Time > p.MaxTime {
		p.MaxTime = ev.Time
		p.Clock = max(p.Clock, ev.Time-o.rules.Lateness)
	}
	if ev.Type == event.ItemUpdated {
		return
	}
	c := p.Customers[ev.CustomerID]
	if c == nil {
		c = &Customer{}
		p.Customers[string([]byte(ev.CustomerID))] = c
	}
	now := max(p.Clock, ev.Time, c.Emission.AsOf, c.Facts.Last)
	o.crossings(c, part, ev.CustomerID, now)
	eff := c.Facts.Apply(ev, &o.rules)
	cause := score.Cause{Kind: "event", EventID: ev.ID}
	switch {
	case ev.Type == event.ErasureRequested && eff.Changed:
		c.Emission = score.Emission{Version: c.Emission.Version + 1, AsOf: now}
		o.tell(c, part, ev.CustomerID, now, cause, nil, nil)
		if c.Facts.Last > c.Facts.Erased {
			o.rescore(c, part, ev.CustomerID, now, cause)
		}
	case eff.Scores, eff.Changed && c.Emission.Stage == 0:
		o.rescore(c, part, ev.CustomerID, now, cause)
	}
}

// crossings tells what time alone changes, each at its own instant.
func (o *Oracle) crossings(c *Customer, part int32, id string, until int64) {
	for em := &c.Emission; em.Next != 0 && em.Next <= until; {
		at := em.Next
		o.rescore(c, part, id, at, score.Cause{Kind: "timer", Timer: em.Timer.String()})
		if em.Next != 0 && em.Next <= at {
			em.Next = at + 1
		}
	}
}

func (o *Oracle) rescore(c *Customer, part int32, id string, now int64, cause score.Cause) {
	was := c.Emission
	o.deltas = o.maker.Update(id, &c.Facts, o.models, now, &was, &c.Emission, &o.doc, o.deltas[:0])
	if len(o.deltas) > 0 {
		o.tell(c, part, id, now, cause, o.deltas, &o.doc)
	}
}

func (o *Oracle) tell(c *Customer, part int32, id string, at int64, cause score.Cause, changed []score.Delta, doc *score.Scores) {
	o.change = score.Change{CustomerID: id, At: at, Version: c.Emission.Version, Cause: cause, Changed: changed, Scores: doc}
	var text []byte
	if doc != nil {
		o.text = encode.JSON{}.AppendScores(o.text[:0], doc)
		text = o.text
	}
	o.bytes = encode.JSON{}.AppendChange(o.bytes[:0], &o.change, text)
	o.sink.Change(part, id, c.Emission.Version, o.bytes, text)
}

// End tells the crossings up to where each partition's clock stands after its
// last record, and returns the partitions.
func (o *Oracle) End() map[int32]*Partition {
	for n, p := range o.parts {
		for id, c := range p.Customers {
			o.crossings(c, n, id, p.Clock)
		}
	}
	return o.parts
}

// Position is the commit record that a partition should end with.
func (p *Partition) Position() pipeline.Position {
	return pipeline.Position{Next: p.Next, MaxTime: p.MaxTime, Clock: p.Clock}
}
