package proxy

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"
)

// link is one connection of the client and its counterpart to the broker.
type link struct {
	net            *Net
	client, broker net.Conn
	once           sync.Once

	mu      sync.Mutex
	pending map[int32]request // by correlation id
}

type request struct{ key, version int16 }

const (
	dialWithin = 2 * time.Second
	mostBytes  = 256 << 20 // of one request or answer
)

func (n *Net) accept(l net.Listener, broker string) {
	for {
		client, err := l.Accept()
		if err != nil {
			return // closed
		}
		n.running.Go(func() { n.serve(client, broker) })
	}
}

func (n *Net) serve(client net.Conn, broker string) {
	to, err := net.DialTimeout("tcp", broker, dialWithin)
	if err != nil {
		reset(client)
		return
	}
	l := &link{net: n, client: client, broker: to, pending: map[int32]request{}}
	n.mu.Lock()
	if n.closed {
		l.close()
	}
	n.links[l] = struct{}{}
	n.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { l.carry(l.client, l.broker, l.ask) })
	both.Go(func() { l.carry(l.broker, l.client, l.answer) })
	both.Wait()
	n.mu.Lock()
	delete(n.links, l)
	n.mu.Unlock()
}

// reset closes a connection with a reset, as the system does that has nobody to
// answer: an orderly end before the first answer would be another thing, which
// clients take for a misunderstanding and do not try again.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // then it ends in order, which is as good as can be
	}
	_ = c.Close() // whatever it says, it is over
}

func (l *link) close() {
	l.once.Do(func() {
		reset(l.client)
		reset(l.broker)
	})
}

// carry brings frames from one side to the other until either ends. through
// returns what to pass on, what to do then, and false to cut.
func (l *link) carry(from io.Reader, to io.Writer, through func([]byte) ([]byte, func() bool, bool)) {
	defer l.close()
	var size [4]byte
	for {
		if _, err := io.ReadFull(from, size[:]); err != nil {
			return
		}
		n := binary.BigEndian.Uint32(size[:])
		if n > mostBytes {
			return
		}
		frame := make([]byte, 4+n)
		if _, err := io.ReadFull(from, frame[4:]); err != nil {
			return
		}
		l.net.pass()
		body, then, ok := through(frame[4:])
		if !ok {
			return
		}
		if len(body) != int(n) || n > 0 && &body[0] != &frame[4] {
			frame = append(frame[:4], body...)
		}
		binary.BigEndian.PutUint32(frame, uint32(len(body)))
		if _, err := to.Write(frame); err != nil {
			return
		}
		if then != nil && then() {
			return
		}
	}
}

// ask is through for requests: key, version and correlation id lead each.
func (l *link) ask(body []byte) ([]byte, func() bool, bool) {
	if len(body) < 8 {
		return body, nil, true
	}
	r := request{int16(binary.BigEndian.Uint16(body)), int16(binary.BigEndian.Uint16(body[2:]))}
	l.mu.Lock()
	l.pending[int32(binary.BigEndian.Uint32(body[4:]))] = r
	l.mu.Unlock()
	if l.net.meet(r.key, Request) {
		return nil, nil, false
	}
	return body, func() bool { return l.net.meet(r.key, Forwarded) }, true
}

// answer is through for answers: the correlation id leads each.
func (l *link) answer(body []byte) ([]byte, func() bool, bool) {
	if len(body) < 4 {
		return body, nil, true
	}
	id := int32(binary.BigEndian.Uint32(body))
	l.mu.Lock()
	r, ok := l.pending[id]
	delete(l.pending, id)
	l.mu.Unlock()
	if !ok {
		return body, nil, true
	}
	if l.net.meet(r.key, Answer) {
		return nil, nil, false
	}
	return l.net.rewrite(r, body), nil, true
}
