package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"
)

// kind is a kind of fault.
type kind struct {
	name string
	flag string // with how many times
	doc  string
	lane lane
	// weight is how often it comes in a mix, against the others of its lane.
	weight int
	// unable says why it cannot be done here; "": it can. Nil: always.
	unable func(w *world) string
	// do does it and returns when it is over, but for the recovery. It says
	// whether the fault really happened.
	do func(ctx context.Context, w *world, rng *rand.Rand) (bool, error)
}

// lane is what goes on one after the other; lanes go on side by side.
type lane int

const (
	processes lane = iota // instances die and stop
	members               // instances come and go
	nodes                 // brokers die and stop
	network
	input
	lanes
)

// kinds are all faults.
func kinds() []kind {
	return slices.Concat(processKinds(), stateKinds(), memberKinds(), brokerKinds(), networkKinds(), inputKinds())
}

// step is one fault of a plan.
type step struct {
	kind  kind
	seed  uint64        // of what it does, and to whom
	pause time.Duration // before it
	burst bool          // it does not wait until the one before has been recovered from
}

// pauseMost is the longest pause of each lane. Brokers take a while to be well
// again, and while they are not, nothing else can be told apart.
var pauseMost = [lanes]time.Duration{
	processes: 2 * time.Second, members: 8 * time.Second, nodes: 20 * time.Second, network: 5 * time.Second, input: 10 * time.Second,
}

const burstShare = 4 // one in so many

// deck is what a lane's faults are drawn from: each as often as its count says,
// or, in a mix, as its weight says.
func deck(l lane, counts map[string]int, only []string, mix bool) []kind {
	var d []kind
	for _, k := range kinds() {
		n := counts[k.name]
		if mix {
			n = k.weight
		}
		if k.lane != l || len(only) > 0 && !slices.Contains(only, k.name) {
			continue
		}
		for range n {
			d = append(d, k)
		}
	}
	return d
}

// plan is the order in which a lane's deck is played; a mix is shuffled and
// played again and again.
func plan(seed uint64, l lane, d []kind) func() step {
	rng := rand.New(rand.NewPCG(seed, uint64(l)))
	var left []kind
	return func() step {
		if len(left) == 0 {
			left = slices.Clone(d)
			rng.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
		}
		s := step{kind: left[0], seed: rng.Uint64(), pause: time.Duration(rng.Int64N(int64(pauseMost[l]))), burst: rng.IntN(burstShare) == 0}
		left = left[1:]
		return s
	}
}
