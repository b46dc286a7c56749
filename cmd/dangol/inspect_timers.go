package main

import (
	"cmp"
	"container/heap"
	"fmt"
	"io"
	"slices"

	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

// timerDoc is a customer's next crossing.
type timerDoc struct {
	Partition int32  `json:"partition"`
	At        string `json:"at"`
	What      string `json:"what"`
	ID        string `json:"customer_id"`
	due       int64
}

// laterFirst is a heap of timers with the latest on top.
type laterFirst []timerDoc

func compareTimers(a, b timerDoc) int {
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.ID, b.ID))
}

func (h laterFirst) Len() int           { return len(h) }
func (h laterFirst) Less(i, j int) bool { return compareTimers(h[i], h[j]) > 0 }
func (h laterFirst) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *laterFirst) Push(x any)        { *h = append(*h, x.(timerDoc)) }
func (h *laterFirst) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// showTimers tells the next timers of each partition.
func (o *inspectOptions) showTimers(k kept, parts []int32, w io.Writer) error {
	var led ledger.Ledger
	var em score.Emission
	intern := pipeline.NewInterner()
	for _, p := range parts {
		var next laterFirst
		waiting := 0
		err := k.each(p, func(key, val []byte, due int64) error {
			id, ok := pipeline.CustomerOf(key)
			if !ok || due == 0 {
				return nil
			}
			waiting++
			if len(next) == o.timers && due > next[0].due {
				return nil
			}
			if err := pipeline.DecodeCustomer(val, &led, &em, intern); err != nil {
				return fmt.Errorf("customer %q: %w", id, err)
			}
			heap.Push(&next, timerDoc{p, moment(due), em.Timer.String(), string(id), due})
			if len(next) > o.timers {
				heap.Pop(&next)
			}
			return nil
		})
		if err != nil {
			return err
		}
		slices.SortFunc(next, compareTimers)
		if err := o.writeTimers(w, p, waiting, next); err != nil {
			return err
		}
	}
	return nil
}

func (o *inspectOptions) writeTimers(w io.Writer, p int32, waiting int, next []timerDoc) error {
	if !o.json {
		if _, err := fmt.Fprintf(w, "partition %d: %s\n", p, quantity(waiting, "timer")); err != nil {
			return err
		}
	}
	for _, t := range next {
		var err error
		if o.json {
			err = writeLine(w, t)
		} else {
			_, err = fmt.Fprintf(w, "  %s  %-17s  customer %q\n", t.At, t.What, t.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
