// Command chaos proves, or refutes, that dangol counts every event exactly once.
//
// It starts Kafka brokers, several instances of the real binary with one app_id,
// and a producer; while events flow it kills, stops and cuts them off, breaks
// their disks, moves their partitions. In the end it works out from the input
// topic alone what should have been said (bench/chaos/oracle), compares it record
// for record with what was, and prints
//
//	lost, doubled, reordered, torn, wrong: 0 0 0 0 0
//
// with the faults that really fired, how long partitions stood still after them,
// and the seed. It ends with another code than 0 if a counter is not 0, if a
// fault that was planned never fired, or if the input was not worked through in
// time; then logs, states and what differs are kept in a directory that it names.
//
// How long partitions stood still is the time from a fault until each of those
// that it hit (the instance's own; all, where a broker was hit) has a later offset
// committed than just after the fault, looked at ten times a second. Where a
// foreign transaction holds the input up, nothing is measured.
//
// The seed gives the plan: which faults, in which order, on whom, with which
// pauses. What the machine makes of it, to the millisecond, it does not repeat.
//
// What is compared needs a configuration in which a customer's changes follow
// from its own records alone: fixed cut points, no offers, nothing learned, time
// moved by events, and items without categories. Leaping clocks are not among the
// faults: the instances share the machine's clock; engine/pipeline's simulations
// have them.
package main

import (
	"context"
	"errors"
	"io"

	"github.com/dangol-dev/dangol/bench"
)

func main() { bench.Command(run) }

// errFaults is that the comparison found some.
var errFaults = errors.New("the proof has failed")

func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	o, err := parse(args, errOut)
	if err != nil {
		return err
	}
	return prove(ctx, o, out)
}
