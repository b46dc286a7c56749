package api

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

// fakeCluster is the view that every instance of a fleet has.
type fakeCluster struct {
	mu       sync.Mutex
	members  []Member
	owners   []string // by partition; "": nobody
	standbys []string
}

func (c *fakeCluster) member(instance string) (Member, bool) {
	i := slices.IndexFunc(c.members, func(m Member) bool { return m.Instance == instance })
	if i < 0 {
		return Member{}, false
	}
	return c.members[i], true
}

// view is the cluster as one instance sees it.
type view struct {
	*fakeCluster
	self string
}

func (v view) Self() string      { return v.self }
func (v view) Members() []Member { v.mu.Lock(); defer v.mu.Unlock(); return slices.Clone(v.members) }
func (v view) Partitions() int32 { v.mu.Lock(); defer v.mu.Unlock(); return int32(len(v.owners)) }
func (v view) Owner(p int32) (Member, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.member(v.owners[p])
}

func (v view) Standby(p int32) (Member, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.member(v.standbys[p])
}

// fakeCopies are customers' copies by their age.
type fakeCopies map[string]time.Duration

func (c fakeCopies) Copy(_ context.Context, id string) (*score.Scores, time.Duration, error) {
	age, ok := c[id]
	if !ok {
		return nil, 0, fmt.Errorf("customer %s: %w", id, pipeline.ErrNotFound)
	}
	return &score.Scores{CustomerID: id}, age, nil
}

// fakeHolder are the partitions that an instance answers for.
type fakeHolder struct {
	mu   sync.Mutex
	held []int32
}

func (h *fakeHolder) Held() []int32 { h.mu.Lock(); defer h.mu.Unlock(); return slices.Clone(h.held) }
func (h *fakeHolder) set(held ...int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = held
}

// instance is one of a fleet.
type instance struct {
	*rig
	copies fakeCopies
	web    *httptest.Server
}

// fleet are instances that reach each other, a, b and c, with six partitions: a
// has 0 and 3 and follows those of c, b has 1 and 4 and follows those of a, c has
// 2 and 5 and follows those of b.
type fleet struct {
	t       *testing.T
	cluster *fakeCluster
	a, b, c *instance
}

// newFleet makes three; also may change the parts of each.
func newFleet(t *testing.T, change func(*Config), also func(name string, p *Parts)) *fleet {
	t.Helper()
	f := &fleet{t: t, cluster: &fakeCluster{owners: strings.Split("abcabc", ""), standbys: strings.Split("bcabca", "")}}
	start := func(name string) *instance {
		in := &instance{copies: fakeCopies{}}
		in.rig = newRigOf(t, func(c *Config) {
			c.ForwardTimeout = 9 * time.Second // a slow machine is no fault of a peer's
			if change != nil {
				change(c)
			}
		}, func(p *Parts) {
			p.Cluster, p.Copies = view{f.cluster, name}, in.copies
			if also != nil {
				also(name, p)
			}
		})
		in.web = httptest.NewServer(in.server.Handler())
		t.Cleanup(func() { in.web.Close(); require.NoError(t, in.server.Close()) })
		f.cluster.members = append(f.cluster.members, Member{Instance: name, Address: in.web.Listener.Addr().String()})
		return in
	}
	f.a, f.b, f.c = start("a"), start("b"), start("c")
	t.Cleanup(func() { // before the servers close: they wait for kept connections
		for _, in := range []*instance{f.a, f.b, f.c} {
			in.server.peers.close()
		}
	})
	return f
}

// idIn is a customer whom Kafka's own producers would put into a partition.
func idIn(p int32) string {
	for i := 0; ; i++ {
		if id := fmt.Sprintf("c-%d", i); guess(id, 6) == p {
			return id
		}
	}
}

// document is what fakeEncoder makes of a customer.
func document(id string) string { return fmt.Sprintf(`{"customer_id":%q,"as_of":0}`, id) }

// incomplete is the body of a 503 for one customer.
func incomplete(id, why string) string {
	return errorBody("incomplete", fmt.Sprintf("customer %q: no instance that answered knows it, but it may be where nobody looked: %s", id, why))
}

// calls are what the engine of an instance was asked since the last call.
func (in *instance) calls() []string {
	in.query.mu.Lock()
	defer in.query.mu.Unlock()
	asked := in.query.asked
	in.query.asked = nil
	return asked
}
