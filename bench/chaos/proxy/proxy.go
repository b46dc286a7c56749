// Package proxy is a client's way to its Kafka brokers, on which things go
// wrong: connections are cut, answers lost, bytes late or held back.
//
// It understands the protocol just enough. Of each request it reads the header,
// so that a fault can wait for a certain one; and of the few answers that name
// brokers it rewrites the addresses, so that the client finds none but through
// the proxy. Neither the brokers nor other clients know of it.
package proxy

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"
)

// Net is one client's way to the brokers. Its methods may be called from any
// goroutine.
type Net struct {
	fronts    []string          // by broker
	byBroker  map[string]string // broker's address → front
	listeners []net.Listener
	running   sync.WaitGroup

	mu     sync.Mutex
	links  map[*link]struct{}
	hooks  []*Hook
	delay  time.Duration
	hole   chan struct{} // not nil: nothing passes until it is closed
	closed bool
}

// Moment is when, in the life of a request, a Hook acts.
type Moment int

// The moments.
const (
	Request   Moment = iota // before the request is passed on
	Forwarded               // when the broker has it
	Answer                  // before the broker's answer is passed on
)

// Hook waits for the next request of a kind, once.
type Hook struct {
	Key  int16 // of the request: kmsg's numbers
	At   Moment
	Do   func()        // while the request, or the answer, is held; nil: nothing
	Cut  bool          // then the connection is cut and what is held is lost
	Done chan struct{} // closed when it has happened; made by On
}

// New listens for each broker on the loopback interface.
func New(brokers []string) (*Net, error) {
	n := &Net{byBroker: map[string]string{}, links: map[*link]struct{}{}}
	for _, b := range brokers {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(fmt.Errorf("proxy: %w", err), n.Close())
		}
		front := l.Addr().String()
		n.listeners, n.fronts, n.byBroker[b] = append(n.listeners, l), append(n.fronts, front), front
		n.running.Go(func() { n.accept(l, b) })
	}
	return n, nil
}

// Addrs are the addresses for the client, by broker.
func (n *Net) Addrs() []string { return n.fronts }

// Close ends all connections and waits for them.
func (n *Net) Close() error {
	var errs []error
	for _, l := range n.listeners {
		errs = append(errs, l.Close())
	}
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.Hole(false)
	n.Cut()
	n.running.Wait()
	return errors.Join(errs...)
}

// Cut ends all connections of now and says how many they were.
func (n *Net) Cut() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	for l := range n.links {
		l.close()
	}
	return len(n.links)
}

// Delay holds each request and each answer back for so long; 0: no longer.
func (n *Net) Delay(d time.Duration) {
	n.mu.Lock()
	n.delay = d
	n.mu.Unlock()
}

// Hole lets nothing pass, without a word, until it is called with false: then
// what was held back passes.
func (n *Net) Hole(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if on && n.hole == nil {
		n.hole = make(chan struct{})
	}
	if !on && n.hole != nil {
		close(n.hole)
		n.hole = nil
	}
}

// On sets a hook. Drop takes it back.
func (n *Net) On(h *Hook) {
	h.Done = make(chan struct{})
	n.mu.Lock()
	n.hooks = append(n.hooks, h)
	n.mu.Unlock()
}

// Drop takes a hook back that has not happened, and says whether it had not.
func (n *Net) Drop(h *Hook) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, x := range n.hooks {
		if x == h {
			n.hooks = append(n.hooks[:i], n.hooks[i+1:]...)
			return true
		}
	}
	return false
}

// meet lets a hook act that waits for this, and says whether to cut.
func (n *Net) meet(key int16, at Moment) (cut bool) {
	n.mu.Lock()
	var met *Hook
	for i, h := range n.hooks {
		if h.Key == key && h.At == at {
			met = h
			n.hooks = append(n.hooks[:i], n.hooks[i+1:]...)
			break
		}
	}
	n.mu.Unlock()
	if met == nil {
		return false
	}
	defer close(met.Done)
	if met.Do != nil {
		met.Do()
	}
	return met.Cut
}

// pass waits as long as what comes by is held.
func (n *Net) pass() {
	n.mu.Lock()
	delay, hole := n.delay, n.hole
	n.mu.Unlock()
	if hole != nil {
		<-hole
	}
	if delay > 0 {
		time.Sleep(delay)
	}
}

// front is where the client finds a broker.
func (n *Net) front(host string, port int32) (string, int32, bool) {
	f, ok := n.byBroker[net.JoinHostPort(host, strconv.Itoa(int(port)))]
	if !ok {
		return host, port, false
	}
	h, p, _ := net.SplitHostPort(f) // it is a listener's own
	to, _ := strconv.Atoi(p)
	return h, int32(to), true
}
