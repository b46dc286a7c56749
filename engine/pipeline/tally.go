package pipeline

import (
	"sort"

	"github.com/dangol-dev/dangol/engine/event"
)

// tally is what a shard counted in the open transaction. It joins the Stats
// when the transaction has committed, so that an event counts once there too.
type tally struct {
	events, duplicates, late, timers, changes, unkeyed, bytes uint64

	rejects map[event.Reason]uint64
	latency arrivals
}

func (t *tally) reset() {
	clear(t.rejects)
	*t = tally{rejects: t.rejects, latency: t.latency[:0]}
}

// arrivals are the Kafka timestamps of events, run-length coded: neighbours
// mostly share their millisecond.
type arrivals []arrival

type arrival struct {
	at int64 // Unix ms
	n  uint64
}

func (a *arrivals) add(at int64) {
	if n := len(*a); n > 0 && (*a)[n-1].at == at {
		(*a)[n-1].n++
		return
	}
	*a = append(*a, arrival{at, 1})
}

// into adds a committed transaction's tally to the statistics.
func (t *tally) into(s *Stats, committed int64) {
	s.Events += t.events
	s.Duplicates += t.duplicates
	s.Late += t.late
	s.Timers += t.timers
	s.Changes += t.changes
	s.Unkeyed += t.unkeyed
	s.InputBytes += t.bytes
	for r, n := range t.rejects {
		s.Rejects[r] += n
	}
	for _, a := range t.latency {
		sec := max(float64(committed-a.at)/1e3, 0)
		s.Latency[sort.SearchFloat64s(LatencyBuckets[:], sec)] += a.n
		s.LatencySum += sec * float64(a.n)
	}
}
