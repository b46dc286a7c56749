package api

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An instance that hangs costs its time-out.
func TestSlowInstanceIsBounded(t *testing.T) {
	f := newFleet(t, func(c *Config) { c.ForwardTimeout = 30 * time.Millisecond }, nil)
	f.cluster.members, f.cluster.owners, f.cluster.standbys = f.cluster.members[:2], strings.Split("abaaba", ""), strings.Split("bababa", "")
	f.b.query.hook = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
	id := idIn(1)
	status, body, _ := f.a.get("/v1/customers/" + id)
	require.Equal(t, 503, status)
	require.Equal(t, incomplete(id, `instance "b" did not answer: nothing came within 30ms`), body)
	require.Equal(t, []string{"timeout"}, f.a.observer.outcomes())
	f.a.copies[id] = 2 * time.Second
	status, _, header := f.a.get("/v1/customers/" + id)
	require.Equal(t, 200, status)
	require.Equal(t, "2.000", header.Get("Dangol-Stale-Seconds"))
}

// Who knows first ends the question: the others are not waited for, and give it up.
func TestFirstThatKnowsWins(t *testing.T) {
	f := newFleet(t, nil, nil)
	arrived, given := make(chan struct{}), make(chan struct{})
	f.b.query.hook = func(ctx context.Context, _ string) error {
		close(arrived)
		<-ctx.Done()
		close(given)
		return ctx.Err()
	}
	f.c.query.hook = func(context.Context, string) error { <-arrived; return nil }
	id := idIn(0) // a's own by its key, so that b and c are asked side by side
	f.c.query.known[id] = true
	status, _, header := f.a.get("/v1/customers/" + id)
	require.Equal(t, 200, status)
	require.Equal(t, "c", header.Get("Dangol-Instance"))
	<-given
	require.Equal(t, []string{"cancelled", "found"}, f.a.observer.outcomes())
}

// The query's own time ends it, whatever its instances do.
func TestQueryTimeoutHoldsForForwarded(t *testing.T) {
	f := newFleet(t, func(c *Config) { c.QueryTimeout = 200 * time.Millisecond }, nil)
	f.b.query.hook = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
	f.c.query.hook = f.b.query.hook
	status, _, _ := f.a.get("/v1/customers/" + idIn(1))
	require.Equal(t, 503, status)
	status, _, _ = f.a.get("/v1/customers/" + idIn(1) + "?as_of=5")
	require.Equal(t, 503, status)
}

// While another instance reads its customers, the slot here is free for who asks
// this one: two instances that ask each other cannot wait for each other.
func TestNoSlotIsHeldWhileOthersAreAsked(t *testing.T) {
	f := newFleet(t, func(c *Config) { c.MaxScans = 1 }, nil)
	id := idIn(1)
	f.b.query.known[id] = true
	slots := make(chan int, 8)
	f.b.query.hook = func(context.Context, string) error { slots <- len(f.a.server.scans.slots); return nil }
	status, _, _ := f.a.get("/v1/customers/" + id + "?as_of=5")
	require.Equal(t, 200, status)
	require.Zero(t, <-slots)
}

// fakePeer answers in the place of b.
func (f *fleet) fakePeer(h http.HandlerFunc) {
	srv := httptest.NewServer(h)
	f.t.Cleanup(func() { f.a.server.peers.close(); srv.Close() })
	f.cluster.mu.Lock()
	defer f.cluster.mu.Unlock()
	f.cluster.members[1].Address = srv.Listener.Addr().String()
}

// What is not the instance that was meant is not believed, its 404 least of all.
func TestForeignAnswers(t *testing.T) {
	id := idIn(1)
	asB := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Dangol-Instance", "b"); h(w, r) }
	}
	const another = "another answers at the address that it has told; see http.advertise"
	const unlike = "its answer is not as dangol's"
	for name, c := range map[string]struct {
		answer       http.HandlerFunc
		why, outcome string
	}{
		"nothing of dangol's": {http.NotFound, another, "foreign"},
		"another instance": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Dangol-Instance", "c")
			http.NotFound(w, r)
		}, another, "foreign"},
		"a redirect": {asB(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+r.Host+"/elsewhere", http.StatusFound)
		}), "it answered with status 302", "refused"},
		"too large": {asB(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte("x"), maxDocument+1))
		}), fmt.Sprintf("its answer is larger than %d bytes", maxDocument), "refused"},
		"cut off": {asB(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("{"))
		}), "no connection", "unreachable"},
		"no partitions": {asB(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Dangol-Partitions", "1,x")
			http.NotFound(w, r)
		}), unlike, "foreign"},
		"no age": {asB(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Dangol-Stale-Seconds", "NaN") }), unlike, "foreign"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, nil, nil)
			var asked atomic.Int32
			f.fakePeer(func(w http.ResponseWriter, r *http.Request) { asked.Add(1); c.answer(w, r) })
			status, body, _ := f.a.get("/v1/customers/" + id)
			require.Equal(t, 503, status)
			require.Equal(t, incomplete(id, `instance "b" did not answer: `+c.why), body)
			require.Contains(t, f.a.observer.outcomes(), c.outcome)
			require.EqualValues(t, 1, asked.Load(), "no redirect is followed, nothing asked again")
		})
	}
	for _, body := range []string{`{"customers":[],"not_found":[]}`, `{"customers":[{},{}],"not_found":[]}`, `{"customers":[{}],"not_found":["` + id + `"]}`, `[]`, ``} {
		f := newFleet(t, nil, nil)
		f.fakePeer(asB(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		status, got, _ := f.a.post(fmt.Sprintf(`{"ids":[%q]}`, id))
		require.Equal(t, 503, status)
		require.Equal(t, incomplete(id, `instance "b" did not answer: `+unlike), got, body)
	}
}

// Connections are kept and bounded, and one that the other side has closed is
// no failure.
func TestConnections(t *testing.T) {
	f := newFleet(t, nil, nil)
	id := idIn(1)
	f.b.query.known[id] = true
	var opened atomic.Int32
	srv := httptest.NewUnstartedServer(f.b.server.Handler())
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(func() { f.a.server.peers.close(); srv.Close() })
	f.cluster.members[1].Address = srv.Listener.Addr().String()
	for range 30 {
		status, _, _ := f.a.get("/v1/customers/" + id)
		require.Equal(t, 200, status)
	}
	require.EqualValues(t, 1, opened.Load())

	for range 5 {
		srv.CloseClientConnections()
		status, body, _ := f.a.post(fmt.Sprintf(`{"ids":[%q]}`, id))
		require.Equal(t, 200, status, body)
	}

	const many = 2 * quickConns
	var running, most atomic.Int32
	arrived, release := make(chan struct{}, many), make(chan struct{})
	f.b.query.hook = func(context.Context, string) error {
		n := running.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		arrived <- struct{}{}
		<-release
		running.Add(-1)
		return nil
	}
	codes := make(chan int, many)
	for range many {
		go func() {
			status, _, _ := f.a.get("/v1/customers/" + id)
			codes <- status
		}()
	}
	for range quickConns {
		<-arrived
	}
	for range many { // each lets one more in
		release <- struct{}{}
		require.Equal(t, 200, <-codes)
	}
	require.EqualValues(t, quickConns, most.Load(), "the others wait here, not there")
}
