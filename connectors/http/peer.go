package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// The headers by which instances speak with each other, and tell a client who
// answered.
const (
	// headerForwarded marks a request of another instance: it is answered from
	// here alone, so that none goes round in a circle.
	headerForwarded = "Dangol-Forwarded"
	// headerInstance names who answered, percent-encoded as in a path; several
	// with commas between them.
	headerInstance = "Dangol-Instance"
	// headerPartitions lists the partitions that a forwarded request was answered for.
	headerPartitions = "Dangol-Partitions"
	// headerStale is the age of a copy, in seconds.
	headerStale = "Dangol-Stale-Seconds"
)

// The values of headerForwarded.
const (
	forwardedOwn    = "1"    // answer from what is your own
	forwardedCopies = "copy" // and from your copies of what is not
)

// The outcomes of a forwarded request, for the metrics.
const (
	outcomeFound       = "found"
	outcomeNotFound    = "not_found"
	outcomeCopy        = "copy"        // found in a standby's copy
	outcomeRefused     = "refused"     // answered with an error, such as not_ready
	outcomeTimeout     = "timeout"     // not in time
	outcomeUnreachable = "unreachable" // no connection, or it broke
	outcomeForeign     = "foreign"     // answered, but not by that instance, or not as dangol does
	outcomeCancelled   = "cancelled"   // no longer needed: another instance knew
)

// Bounds of what another instance may answer.
const (
	maxDocument = 4 << 20  // bytes of a customer's document
	maxList     = 64 << 20 // bytes of many documents, or of an audience
)

// Connections to one instance, so that one that hangs holds up no others: for
// quick questions, and for those that read many customers.
const (
	quickConns = 64
	slowConns  = 8
)

// silence is why an instance did not answer.
type silence struct {
	outcome string
	why     string // a phrase for the caller
	err     error  // for the log; nil: the phrase says it all
}

// Error says it all.
func (e *silence) Error() string {
	if e.err != nil {
		return e.why + ": " + e.err.Error()
	}
	return e.why
}

// peers asks other instances.
type peers struct {
	quick, slow *http.Client
	log         *slog.Logger
	count       func(outcome string)
	failing     sync.Map // instances that have not answered lately, and the log has said so
}

func newPeers(log *slog.Logger, o Observer) *peers {
	p := &peers{quick: peerClient(quickConns), slow: peerClient(slowConns), log: log, count: func(string) {}}
	if o != nil {
		p.count = o.ObserveForward
	}
	return p
}

// peerClient follows no redirect, uses no proxy, and takes bytes as they are.
func peerClient(conns int) *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			MaxConnsPerHost:        conns,
			MaxIdleConnsPerHost:    conns,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 1 << 20, // room for the list of partitions
			DisableCompression:     true,
		},
	}
}

func (p *peers) close() {
	p.quick.CloseIdleConnections()
	p.slow.CloseIdleConnections()
}

// question is what an instance is asked.
type question struct {
	method  string
	target  *url.URL // path and query; the host is the instance's
	body    []byte   // JSON; nil: none
	copies  bool     // its copies may answer
	slow    bool     // it reads many customers
	most    int64    // bytes of the answer
	timeout time.Duration
	// read takes the answer in and says which outcome it is. An error: it is not
	// as dangol answers.
	read func(*reply) (outcome string, err error)
}

// reply is an instance's answer with status 200 or 404.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// ask puts a question to an instance. The error is a *silence, or that of ctx.
func (p *peers) ask(ctx context.Context, m Member, q *question) error {
	if m.Address == "" {
		p.count(outcomeUnreachable)
		return &silence{outcome: outcomeUnreachable, why: "it has told no address"}
	}
	within, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	r, err := p.exchange(within, m, q)
	if err == nil {
		var outcome string
		if outcome, err = q.read(r); err == nil {
			p.count(outcome)
			if _, was := p.failing.LoadAndDelete(m.Instance); was {
				p.log.Info("http: an instance answers again", "instance", m.Instance, "address", m.Address)
			}
			return nil
		}
		err = &silence{outcomeForeign, "its answer is not as dangol's", err}
	}
	if ctx.Err() != nil {
		p.count(outcomeCancelled)
		return ctx.Err()
	}
	return p.missed(m, q, err)
}

// missed counts and, the first time, logs that an instance did not answer.
func (p *peers) missed(m Member, q *question, err error) error {
	var s *silence
	switch {
	case errors.As(err, &s):
	case errors.Is(err, context.DeadlineExceeded):
		s = &silence{outcomeTimeout, fmt.Sprintf("nothing came within %s", q.timeout.Round(time.Millisecond)), nil}
	default:
		s = &silence{outcomeUnreachable, "no connection", withoutURL(err)}
	}
	p.count(s.outcome)
	if _, was := p.failing.LoadOrStore(m.Instance, true); !was {
		p.log.Warn("http: an instance does not answer; what it alone knows cannot be told", "instance", m.Instance, "address", m.Address, "error", s)
	}
	return s
}

func (p *peers) exchange(ctx context.Context, m Member, q *question) (*reply, error) {
	target := *q.target
	target.Scheme, target.Host = "http", m.Address
	req, err := newPeerRequest(ctx, q, target.String())
	if err != nil {
		return nil, &silence{outcomeUnreachable, "it has told an address that is none", withoutURL(err)}
	}
	client := p.quick
	if q.slow {
		client = p.slow
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, q.most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(body)) > q.most:
		return nil, &silence{outcomeRefused, fmt.Sprintf("its answer is larger than %d bytes", q.most), nil}
	case res.Header.Get(headerInstance) != url.PathEscape(m.Instance):
		return nil, &silence{outcomeForeign, "another answers at the address that it has told; see http.advertise", nil}
	case res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNotFound:
		return nil, &silence{outcomeRefused, refusal(res.StatusCode, body), nil}
	}
	return &reply{status: res.StatusCode, header: res.Header, body: body}, nil
}

// refusal says what an error of an instance means.
func refusal(status int, body []byte) string {
	var wire struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &wire) // what is no JSON has no code
	switch wire.Error.Code {
	case codeNotReady:
		return whyNotReady
	case codeBusy:
		return "too many queries wait there"
	case codeStopping:
		return "it is stopping"
	}
	return fmt.Sprintf("it answered with status %d", status)
}

// whyNotReady is said of an instance that restores its state.
const whyNotReady = "its state is being restored"

// withoutURL leaves the address of the request out of a client's error: the
// path holds an id, which may be a person's.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
