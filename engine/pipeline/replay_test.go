package pipeline

import (
	"io"

	"github.com/dangol-dev/dangol/engine/event"
)

// yield gives out events one by one.
func yield(evs []event.Event) func(*event.Event) error {
	i := 0
	return func(ev *event.Event) error {
		if i == len(evs) {
			return io.EOF
		}
		*ev = evs[i]
		i++
		return nil
	}
}
