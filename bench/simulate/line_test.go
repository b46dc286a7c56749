//go:build synctests

package simulate

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

var errDead = errors.New("simulate: the process is dead")

// broken is an error as a machine's network gives it, by which the client decides what
// to try again.
func broken(op string, err error) error { return &net.OpError{Op: op, Net: "tcp", Err: err} }

// line is all that a process has to do with the network. It dies with the process,
// and stands still while the process is frozen.
type line struct {
	w     *world
	kill  func(at string) // of the process; nil: it is nobody's, and has no faults
	mu    sync.Mutex
	conns map[*conn]bool
	dead  bool
	until time.Time // frozen
}

func newLine(w *world, kill func(string)) *line {
	return &line{w: w, kill: kill, conns: map[*conn]bool{}}
}

// dial implements kgo's Dialer.
func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := l.gate(); err != nil {
		return nil, err
	}
	if l.kill != nil && l.w.fault("connection refused") {
		time.Sleep(refusedAfter)
		return nil, broken("dial", syscall.ECONNREFUSED)
	}
	inner, err := l.w.net.DialContext(ctx, network, address)
	if err != nil {
		time.Sleep(refusedAfter)
		return nil, broken("dial", syscall.ECONNREFUSED)
	}
	c := &conn{Conn: inner, line: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		inner.Close()
		return nil, errDead
	}
	l.conns[c] = true
	return c, nil
}

// refusedAfter is what a failure takes at least. Where one took no time, who tries again
// without end would hold up the bubble's clock, and with it its own end.
const refusedAfter = 20 * time.Millisecond

// gate waits while the process is frozen, and fails once it is dead.
func (l *line) gate() error {
	for {
		l.mu.Lock()
		dead, wait := l.dead, time.Until(l.until)
		l.mu.Unlock()
		if dead {
			time.Sleep(refusedAfter)
			return errDead
		}
		if wait <= 0 {
			return nil
		}
		time.Sleep(wait)
	}
}

// freeze stops the process for a while.
func (l *line) freeze(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = time.Now().Add(d)
}

// cut closes every connection.
func (l *line) cut() {
	l.mu.Lock()
	all := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		all = append(all, c)
	}
	l.mu.Unlock()
	for _, c := range all {
		c.Close()
	}
}

// die cuts the process off for good.
func (l *line) die() {
	l.mu.Lock()
	l.dead, l.until = true, time.Time{}
	l.mu.Unlock()
	l.cut()
}

// cuttable are the requests at which a connection is cut, and a process killed.
var cuttable = map[kmsg.Key]bool{
	kmsg.EndTxn: true, kmsg.TxnOffsetCommit: true, kmsg.AddPartitionsToTxn: true, kmsg.AddOffsetsToTxn: true, kmsg.Produce: true,
	kmsg.InitProducerID: true, kmsg.JoinGroup: true, kmsg.SyncGroup: true, kmsg.Heartbeat: true, kmsg.ConsumerGroupHeartbeat: true,
	kmsg.OffsetFetch: true, kmsg.Fetch: true, kmsg.ListOffsets: true,
}

// conn is a connection of a process to a broker.
type conn struct {
	net.Conn
	line *line
	deaf atomic.Bool // answers are lost
}

// lostAfter is how long the broker has to act on a request whose answer is lost. The
// bubble's time stands still while anybody is at work, so any time is enough.
const lostAfter = 10 * time.Millisecond

// What a request takes at least, and a fetch beyond that. The imitation answers a fetch
// below an open transaction at once, with nothing: where that took no time, the client
// would ask for ever, and the time would never come at which the transaction is aborted.
const (
	wayThere   = 100 * time.Microsecond
	fetchLasts = 5 * time.Millisecond
)

// Write sends a request: the client gives each to one call.
func (c *conn) Write(b []byte) (int, error) {
	if err := c.line.gate(); err != nil {
		return 0, err
	}
	key := kmsg.Key(-1)
	if len(b) >= 6 {
		key = kmsg.Key(binary.BigEndian.Uint16(b[4:]))
	}
	time.Sleep(wayThere)
	if key == kmsg.Fetch {
		time.Sleep(fetchLasts)
	}
	if c.line.kill == nil || !cuttable[key] {
		return c.send(b)
	}
	w, name := c.line.w, key.Name()
	if w.fault("latency") {
		time.Sleep(time.Duration(w.intN(1500)) * time.Millisecond)
		if err := c.line.gate(); err != nil {
			return 0, err
		}
	}
	if key == kmsg.Heartbeat && w.fault("late heartbeat") {
		time.Sleep(time.Duration(1000+w.intN(3000)) * time.Millisecond)
		if err := c.line.gate(); err != nil {
			return 0, err
		}
	}
	switch {
	case w.fault("cut before " + name):
		c.Close()
		return 0, broken("write", syscall.ECONNRESET)
	case w.fault("cut after " + name):
		c.deaf.Store(true)
		time.AfterFunc(lostAfter, func() { _ = c.Close() })
	case w.fault("kill before " + name):
		c.line.kill("before " + name)
		return 0, errDead
	case w.fault("kill after " + name):
		c.deaf.Store(true)
		n, err := c.send(b)
		time.Sleep(lostAfter)
		c.line.kill("after " + name)
		return n, err
	case key == kmsg.EndTxn && w.fault("frozen before EndTxn"), key == kmsg.TxnOffsetCommit && w.fault("frozen before TxnOffsetCommit"):
		c.line.freeze(w.long())
		if err := c.line.gate(); err != nil {
			return 0, err
		}
	}
	return c.send(b)
}

func (c *conn) send(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err != nil {
		err = broken("write", syscall.ECONNRESET)
	}
	return n, err
}

// Read gives answers, unless they are to be lost.
func (c *conn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err != nil || !c.deaf.Load() {
			if gone := c.line.gate(); gone != nil {
				return 0, gone
			}
			if err != nil {
				err = broken("read", syscall.ECONNRESET)
			}
			return n, err
		}
	}
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.line.mu.Lock()
	delete(c.line.conns, c)
	c.line.mu.Unlock()
	return c.Conn.Close()
}
