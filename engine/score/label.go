package score

import (
	"math"
	"slices"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// A label is a customer at a snapshot, and when the next order followed.
//
// A horizon is long: what is learned from labels that have resolved alone knows
// nothing of the latest quarter of a year. So a snapshot whose horizon is still
// open counts as well, with as much of it as has passed; the rhythm's word, from
// which the churn model starts, is then that for so many days.

// shot is what is known of a customer at one instant, apart from any model.
type shot struct {
	moments
	silence  float64              // days
	behaved  [numFeatures]float64 // the behaviour's columns
	occasion int                  // purchase days
}

// label is a customer at a snapshot.
type label struct {
	shot
	snapshot int   // index in Learner.shots
	next     int64 // instant of the next order; never: none by the Learner's instant
}

const (
	never = math.MaxInt64

	// snapshots are looked back to, a sixth of a horizon apart, but at least a
	// week: two horizons in all.
	snapshots = 12
	perSpan   = 6
	// judgedEvery spaces the snapshots that are judged by a third of a horizon,
	// judgedMost of them.
	judgedEvery, judgedMost = 2, 3
	// mostLabelled bounds the customers that labels are taken of; the others
	// count for the rhythm and the spend only.
	mostLabelled = 10_000
)

// snapshotsBefore are the snapshots' instants for an instant, latest first:
// evenings before a Monday, so that the calendar weeks of the behaviour are
// whole.
func snapshotsBefore(at int64, horizonDays int, cal ledger.Calendar) []int64 {
	step := int32(max(7, horizonDays/perSpan))
	day := cal.Day(at)
	var shots []int64
	for j := range int32(snapshots) {
		shots = append(shots, cal.Start(ledger.Monday(ledger.Week(day-(j+1)*step)))-1)
	}
	return shots
}

// spanMS is the horizon in ms.
func (n *Learner) spanMS() int64 { return int64(n.cfg.HorizonDays) * rhythm.DayMS }

// firstResolved is the latest snapshot whose horizon has passed by an instant;
// len(n.shots): none has.
func (n *Learner) firstResolved(by int64) int {
	for j, at := range n.shots {
		if by-at >= n.spanMS() {
			return j
		}
	}
	return len(n.shots)
}

// observe takes a customer's labels. n.then are the facts as of the instant.
func (n *Learner) observe() (labels []label) {
	for j, at := range n.shots {
		n.then.Before(at, n.rules, &n.before)
		b := label{snapshot: j, next: never}
		if !n.look(&n.before, at, &b.shot) {
			continue // earlier it may have been one: of an order cancelled since
		}
		for s := n.then.Sales(n.rules); s.Next(); {
			if s.Placed > at {
				b.next = s.Placed
				break
			}
		}
		labels = append(labels, b)
	}
	return labels
}

// look reads a ledger as of an instant; false: no buyer yet, or a bot whose orders
// since then are kept as sums only, so that nobody knows what it was like.
func (n *Learner) look(l *ledger.Ledger, at int64, s *shot) bool {
	today := n.rules.Calendar.Day(at)
	n.f.read(l, n.rules, today, 0, decayOf(float64(n.cfg.HorizonDays)))
	if n.f.last == 0 || n.f.last > at {
		return false
	}
	s.moments, s.silence, s.occasion = n.f.moments, rhythm.Days(n.f.last, at), n.f.history.Repeats+1
	week := ledger.Week(today)
	var slope [numFeatures]float64
	n.f.behaviour.features(week, shareOf(at-n.rules.Calendar.Start(ledger.Monday(week))), &s.behaved, &slope)
	return true
}

// rows are the labels of the snapshots from index from to before to, as they were
// known by an instant, in the churn model's terms.
func (n *Learner) rows(q *answerer, from, to int, by int64) (rows []churn.Row) {
	for i := range n.members {
		m := &n.members[i]
		for j := range m.labels {
			b := &m.labels[j]
			if b.snapshot < from || b.snapshot >= to {
				continue
			}
			at := n.shots[b.snapshot]
			span := min(by-at, n.spanMS())
			x, offset := q.row(&b.shot, float64(span)/rhythm.DayMS)
			rows = append(rows, churn.Row{
				Group: m.hash, Snapshot: int32(b.snapshot), Offset: offset, X: x, Churned: b.next-at > span, Weight: float64(span) / float64(n.spanMS()),
			})
		}
	}
	return rows
}

// without returns the rows with columns left out: 0 in every row.
func without(rows []churn.Row, out [numFeatures]bool) []churn.Row {
	if out == ([numFeatures]bool{}) {
		return rows
	}
	rows = slices.Clone(rows)
	for i := range rows {
		x := slices.Clone(rows[i].X)
		for c := range x {
			if out[c] {
				x[c] = 0
			}
		}
		rows[i].X = x
	}
	return rows
}
