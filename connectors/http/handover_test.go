package api

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// newHeldFleet is a fleet whose instances say themselves what they hold.
func newHeldFleet(t *testing.T) (*fleet, map[string]*fakeHolder) {
	t.Helper()
	holders := map[string]*fakeHolder{}
	f := newFleet(t, nil, func(name string, p *Parts) {
		holders[name] = &fakeHolder{}
		p.Holder = holders[name]
	})
	holders["a"].set(0, 3)
	holders["b"].set(1, 4)
	holders["c"].set(2, 5)
	return f, holders
}

// handedOver is the body of a 503 while partitions are between two instances.
func handedOver(id string, n int, first int32) string {
	return incomplete(id, fmt.Sprintf("%d of 6 partitions, the first of them %d, are being handed over or restored", n, first))
}

// All have answered, but a partition was with none of them, whatever the group
// says: its customers are not lost.
func TestNoFalse404WhilePartitionsMove(t *testing.T) {
	f, holders := newHeldFleet(t)
	status, _, _ := f.a.get("/v1/customers/nobody")
	require.Equal(t, 404, status)
	status, _, _ = f.a.get("/v1/items/Z/audience")
	require.Equal(t, 404, status)

	holders["c"].set(5) // 2 is being restored
	status, body, _ := f.a.get("/v1/customers/nobody")
	require.Equal(t, 503, status)
	require.Equal(t, handedOver("nobody", 1, 2), body)
	holders["a"].set(0) // and 3 is on its way to b
	_, body, _ = f.b.get("/v1/customers/nobody")
	require.Equal(t, handedOver("nobody", 2, 2), body)
	f.a.query.known["Z"] = true
	status, body, _ = f.a.get("/v1/items/Z/audience")
	require.Equal(t, 503, status)
	require.Equal(t, errorBody("incomplete", `item "Z": some of its audience may be where nobody looked: 2 of 6 partitions, the first of them 2, are being handed over or restored`), body)
	status, _, _ = f.a.post(`{"ids":["nobody"]}`)
	require.Equal(t, 503, status)

	holders["b"].set(1, 4, 3, 2)
	status, _, _ = f.a.get("/v1/customers/nobody")
	require.Equal(t, 404, status)
}

// A partition that leaves while it is looked in was perhaps not looked in.
func TestNoFalse404WhereAPartitionLeavesMeanwhile(t *testing.T) {
	f, holders := newHeldFleet(t)
	f.b.query.hook = func(context.Context, string) error { holders["b"].set(1); return nil }
	status, body, _ := f.a.get("/v1/customers/nobody")
	require.Equal(t, 503, status)
	require.Equal(t, handedOver("nobody", 1, 4), body)

	holders["b"].set(1, 4)
	f.b.query.hook = nil
	f.a.query.hook = func(context.Context, string) error { holders["a"].set(0, 3, 4); holders["b"].set(1); return nil }
	status, body, _ = f.a.get("/v1/customers/nobody") // 4 comes to a after a has looked
	require.Equal(t, 503, status)
	require.Equal(t, handedOver("nobody", 1, 4), body)
	holders["a"].set(0, 3)
	status, _, _ = f.a.get("/v1/items/A/audience")
	require.Equal(t, 503, status)
}

// A partition that the group knows no owner of, and a group that is not known yet.
func TestNoFalse404WithoutAView(t *testing.T) {
	f := newFleet(t, nil, nil)
	f.cluster.owners[4] = ""
	status, body, _ := f.a.get("/v1/customers/" + idIn(4))
	require.Equal(t, 503, status)
	require.Equal(t, handedOver(idIn(4), 1, 4), body)

	f.cluster.owners, f.cluster.members = nil, nil
	status, body, _ = f.a.get("/v1/customers/c")
	require.Equal(t, 503, status)
	require.Equal(t, incomplete("c", "the instances are not known yet"), body)
	f.a.query.known["c"] = true
	status, _, _ = f.a.get("/v1/customers/c")
	require.Equal(t, 200, status, "what is here can be told")
}

// A partition without an owner is answered for by who follows it.
func TestStandbyOfAPartitionWithoutOwner(t *testing.T) {
	f := newFleet(t, nil, nil)
	f.cluster.owners[4] = ""
	f.c.copies[idIn(4)] = 0
	status, body, header := f.a.get("/v1/customers/" + idIn(4))
	require.Equal(t, 200, status)
	require.Equal(t, document(idIn(4)), body)
	require.Equal(t, "0.000", header.Get("Dangol-Stale-Seconds"))
}

// While an instance restores some of its partitions, a batch is told of its others.
func TestBatchOfAnInstanceThatRestores(t *testing.T) {
	f, holders := newHeldFleet(t)
	there, restored := idIn(1), idIn(4)
	holders["b"].set(1)
	f.b.query.known[there] = true
	f.b.query.hook = func(_ context.Context, id string) error {
		if id == restored {
			return pipeline.ErrNotReady
		}
		return nil
	}
	ask := fmt.Sprintf(`{"ids":[%q,%q]}`, restored, there)
	for _, asked := range []*instance{f.a, f.b} {
		status, body, _ := asked.post(ask)
		require.Equal(t, 503, status)
		require.Contains(t, body, restored+`\": no instance that answered knows it`)
	}
	f.c.copies[restored] = time.Second
	for _, asked := range []*instance{f.a, f.b} {
		status, body, header := asked.post(ask)
		require.Equal(t, 200, status)
		require.Equal(t, `{"customers":[`+document(restored)+","+document(there)+`],"not_found":[]}`, body)
		require.Equal(t, "1.000", header.Get("Dangol-Stale-Seconds"))
	}

	alone := newRig(t, nil)
	alone.query.known[there], alone.query.hook = true, f.b.query.hook
	status, body, _ := alone.post(ask)
	require.Equal(t, 503, status)
	require.Equal(t, errorBody("not_ready", "not ready: state is being restored"), body)
}

// One instance with the whole input is asked nothing of others.
func TestAloneInTheCluster(t *testing.T) {
	f := newFleet(t, nil, nil)
	f.cluster.members, f.cluster.owners = f.cluster.members[:1], []string{"a", "a"}
	status, _, _ := f.a.get("/v1/customers/nobody")
	require.Equal(t, 404, status)
	status, _, _ = f.a.post(`{"ids":["nobody"]}`)
	require.Equal(t, 200, status)
	require.Empty(t, f.a.observer.outcomes())
	f.a.query.hook = func(context.Context, string) error { return pipeline.ErrNotReady }
	for _, path := range []string{"/v1/customers/c", "/v1/items/c/audience"} {
		status, body, _ := f.a.get(path)
		require.Equal(t, 503, status)
		require.Equal(t, errorBody("not_ready", "not ready: state is being restored"), body)
	}
}
