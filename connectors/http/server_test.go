package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start serves on a free port; stop ends it and returns Serve's error.
func (r *rig) start() (addr string, stop func() error) {
	r.t.Helper()
	require.NoError(r.t, r.server.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.server.Serve(ctx) }()
	return r.server.Addr(), func() error { cancel(); return <-ended }
}

// raw sends bytes and returns all that comes back until the server closes.
func raw(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(answer)
}

func TestServeAndStop(t *testing.T) {
	r := newRig(t, nil)
	r.query.known["단골/42"] = true
	require.Empty(t, r.server.Addr())
	addr, stop := r.start()
	require.NotContains(t, addr, ":0", "the port that was picked")
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	res, err := client.Get("http://" + addr + "/v1/customers/%EB%8B%A8%EA%B3%A8%2F42")
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, `{"customer_id":"단골/42","as_of":0}`+"\n", string(body))
	res, err = client.Head("http://" + addr + "/healthz")
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode)

	require.NoError(t, stop())
	_, err = net.Dial("tcp", addr)
	require.Error(t, err, "the port is given back")
}

func TestServeBeforeListen(t *testing.T) {
	r := newRig(t, nil)
	require.EqualError(t, r.server.Serve(context.Background()), "http: Serve before Listen")
	require.NoError(t, r.server.Close())
}

func TestServeEndsWithItsListener(t *testing.T) {
	r := newRig(t, nil)
	require.NoError(t, r.server.Listen())
	require.NoError(t, r.server.Close())
	require.ErrorContains(t, r.server.Serve(context.Background()), "http: serving on 127.0.0.1:")
}

func TestListenErrorSaysWhatToDo(t *testing.T) {
	first := newRig(t, nil)
	require.NoError(t, first.server.Listen())
	defer first.server.Close()
	second := newRig(t, func(c *Config) { c.Listen = first.server.Addr() })
	err := second.server.Listen()
	require.ErrorContains(t, err, "http: cannot listen on "+first.server.Addr())
	require.ErrorContains(t, err, "stop the process that holds the port, or set http.listen to another")

	far := newRig(t, func(c *Config) { c.Listen = "192.0.2.1:8080" })
	require.ErrorContains(t, far.server.Listen(), "set http.listen to an address of this machine")
}

func TestRunningRequestsEndBeforeTheStop(t *testing.T) {
	r := newRig(t, nil)
	r.query.known["c"] = true
	arrived, release := make(chan struct{}), make(chan struct{})
	r.query.hook = func(context.Context, string) error { close(arrived); <-release; return nil }
	addr, stop := r.start()
	answer := make(chan string, 1)
	go func() { answer <- raw(t, addr, "GET /v1/customers/c HTTP/1.1\r\nHost: x\r\n\r\n") }()
	<-arrived
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	require.Eventually(t, func() bool { // the listener goes first, the request lives
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, 5*time.Second, time.Millisecond)
	select {
	case err := <-stopped:
		t.Fatalf("stopped while a request ran: %v", err)
	default:
	}
	close(release)
	require.NoError(t, <-stopped)
	require.Contains(t, <-answer, `{"customer_id":"c","as_of":0}`)
}

func TestRequestsThatDoNotEndAreCutOff(t *testing.T) {
	r := newRig(t, func(c *Config) { c.ShutdownTimeout = 10 * time.Millisecond })
	arrived := make(chan struct{})
	r.query.hook = func(ctx context.Context, _ string) error { close(arrived); <-ctx.Done(); return ctx.Err() }
	addr, stop := r.start()
	answer := make(chan string, 1)
	go func() { answer <- raw(t, addr, "GET /v1/customers/c HTTP/1.1\r\nHost: x\r\n\r\n") }()
	<-arrived
	require.EqualError(t, stop(), "http: requests still ran 10ms after the stop and were cut off")
	got := <-answer
	require.Contains(t, got, "HTTP/1.1 503 Service Unavailable")
	require.Contains(t, got, errorBody("stopping", "the server is stopping"))
}

func TestSlowHeaderIsCutOff(t *testing.T) {
	r := newRig(t, func(c *Config) { c.ReadHeaderTimeout = 20 * time.Millisecond })
	addr, stop := r.start()
	require.Empty(t, raw(t, addr, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "), "closed without an answer, not kept")
	require.NoError(t, stop())
}

func TestSlowBodyIsA408(t *testing.T) {
	r := newRig(t, func(c *Config) { c.ReadTimeout = 30 * time.Millisecond })
	addr, stop := r.start()
	got := raw(t, addr, "POST /v1/customers:batchGet HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"ids\":[")
	require.Contains(t, got, "HTTP/1.1 408 Request Timeout")
	require.Contains(t, got, errorBody("request_timeout", "the body did not arrive within 30ms"))
	require.NoError(t, stop())
}

func TestShortBodyIsA400(t *testing.T) {
	r := newRig(t, nil)
	addr, stop := r.start()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /v1/customers:batchGet HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"ids\":[")
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, 400, res.StatusCode)
	require.NoError(t, stop())
}

func TestHeadersTooLargeAreA431(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxHeaderBytes = 1024 })
	addr, stop := r.start()
	got := raw(t, addr, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Large: "+strings.Repeat("x", 8<<10)+"\r\n\r\n")
	require.True(t, strings.HasPrefix(got, "HTTP/1.1 431 "), got)
	require.NoError(t, stop())
}

func TestGate(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxScans = 1 })
	r.query.known["c"] = true
	arrived, release := make(chan struct{}, 64), make(chan struct{})
	r.query.hook = func(context.Context, string) error { arrived <- struct{}{}; <-release; return nil }
	codes := make(chan int, 64)
	ask := func(path string) {
		go func() {
			status, _, _ := r.get(path)
			codes <- status
		}()
	}
	ask("/v1/population?as_of=5")
	<-arrived // it holds the one slot
	for i := range waitersPerSlot {
		ask(fmt.Sprintf("/v1/customers/c?as_of=%d", i+1))
	}
	require.Eventually(t, func() bool { return r.server.scans.waiting.Load() == waitersPerSlot }, 5*time.Second, time.Millisecond)
	require.Empty(t, arrived, "they wait")

	status, body, header := r.get("/v1/customers/c?as_of=99")
	require.Equal(t, 429, status)
	require.Equal(t, errorBody("busy", "too many queries that read many customers wait already; try again later"), body)
	require.Equal(t, "5", header.Get("Retry-After"))
	status, _, _ = r.post(`{"ids":["c"],"as_of":5}`)
	require.Equal(t, 429, status, "a batch is behind the same gate")

	ask("/v1/customers/c") // the present does not wait
	<-arrived
	close(release)
	for range waitersPerSlot + 2 {
		require.Equal(t, 200, <-codes)
	}
	require.Zero(t, r.server.scans.waiting.Load())
	require.Empty(t, r.server.scans.slots, "every slot was given back")
}

func TestGateGivesUpWithItsContext(t *testing.T) {
	g := newGate(1)
	require.NoError(t, g.enter(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, g.enter(ctx), context.Canceled)
	require.Zero(t, g.waiting.Load())
	g.leave()
	require.NoError(t, g.enter(t.Context()))
}
