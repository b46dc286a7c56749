package bench

import (
	"runtime/metrics"
	"syscall"
	"time"
)

// Usage is what a process has used so far.
type Usage struct {
	Wall    time.Time
	CPU     time.Duration // user and system, all threads
	Mallocs uint64        // heap objects allocated
	RSS     int64         // peak resident set, bytes
}

// Cost is the difference of two Usages, and the events that it was for: polls
// and commits do not end at the first measured one, so they are counted.
type Cost struct {
	Events    uint64
	Wall, CPU time.Duration
	Mallocs   uint64
	RSS       int64
}

// Measure reads the present process's usage.
func Measure() Usage {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		panic(err) // cannot fail for the process itself
	}
	s := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}}
	metrics.Read(s)
	return Usage{
		Wall: time.Now(), CPU: time.Duration(ru.Utime.Nano() + ru.Stime.Nano()),
		Mallocs: s[0].Value.Uint64(), RSS: ru.Maxrss << 10,
	}
}

// Since is what was used from u to now.
func (u Usage) Since() Cost {
	n := Measure()
	return Cost{Wall: n.Wall.Sub(u.Wall), CPU: n.CPU - u.CPU, Mallocs: n.Mallocs - u.Mallocs, RSS: n.RSS}
}

// PerEvent is the CPU time of an event in nanoseconds.
func (c *Cost) PerEvent() float64 { return float64(c.CPU) / float64(c.Events) }

// Rate is how many events there were in a second.
func (c *Cost) Rate() float64 { return float64(c.Events) / c.Wall.Seconds() }
