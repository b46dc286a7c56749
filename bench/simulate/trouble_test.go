//go:build synctests

package simulate

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// brokerErrors are what brokers answer at random, and to which requests.
var brokerErrors = []struct {
	err  *kerr.Error
	keys []kmsg.Key
}{
	{kerr.NotLeaderForPartition, []kmsg.Key{kmsg.Produce, kmsg.Fetch, kmsg.ListOffsets}},
	{kerr.CoordinatorNotAvailable, []kmsg.Key{kmsg.InitProducerID, kmsg.EndTxn, kmsg.TxnOffsetCommit, kmsg.OffsetFetch, kmsg.FindCoordinator}},
	{kerr.NotCoordinator, []kmsg.Key{kmsg.EndTxn, kmsg.TxnOffsetCommit, kmsg.JoinGroup, kmsg.Heartbeat, kmsg.OffsetFetch}},
	{kerr.ConcurrentTransactions, []kmsg.Key{kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.EndTxn, kmsg.Produce}},
	{kerr.InvalidProducerEpoch, []kmsg.Key{kmsg.Produce, kmsg.EndTxn, kmsg.TxnOffsetCommit, kmsg.AddPartitionsToTxn}},
	{kerr.ProducerFenced, []kmsg.Key{kmsg.EndTxn, kmsg.TxnOffsetCommit, kmsg.InitProducerID}},
	{kerr.UnknownMemberID, []kmsg.Key{kmsg.Heartbeat, kmsg.JoinGroup, kmsg.TxnOffsetCommit, kmsg.ConsumerGroupHeartbeat}},
	{kerr.IllegalGeneration, []kmsg.Key{kmsg.TxnOffsetCommit, kmsg.Heartbeat}},
	{kerr.RebalanceInProgress, []kmsg.Key{kmsg.Heartbeat, kmsg.SyncGroup, kmsg.TxnOffsetCommit}},
	{kerr.RequestTimedOut, []kmsg.Key{kmsg.Produce, kmsg.EndTxn, kmsg.InitProducerID, kmsg.ListOffsets}},
	{kerr.UnstableOffsetCommit, []kmsg.Key{kmsg.OffsetFetch}},
	{kerr.CoordinatorLoadInProgress, []kmsg.Key{kmsg.OffsetFetch, kmsg.TxnOffsetCommit, kmsg.JoinGroup, kmsg.EndTxn}},
	{kerr.NotEnoughReplicasAfterAppend, []kmsg.Key{kmsg.Produce}},
	{kerr.UnknownServerError, []kmsg.Key{kmsg.EndTxn, kmsg.TxnOffsetCommit, kmsg.Heartbeat, kmsg.OffsetFetch, kmsg.InitProducerID, kmsg.ListOffsets}},
}

// troubles are what comes from outside a process, each by its name.
var troubles = []struct {
	name string
	do   func(w *world, ctx context.Context)
}{
	{"killed from outside", func(w *world, _ context.Context) { w.victim(func(l *life) { l.kill("from outside") }) }},
	{"ended", func(w *world, _ context.Context) { w.victim((*life).end) }},
	{"frozen from outside", func(w *world, _ context.Context) { w.victim(func(l *life) { l.line.freeze(w.long()) }) }},
	{"all connections cut", func(w *world, _ context.Context) { w.victim(func(l *life) { l.line.cut() }) }},
	{"leaders move", func(w *world, _ context.Context) { w.cluster.ShufflePartitionLeaders() }},
	{"coordinators move", func(w *world, _ context.Context) { w.cluster.RehashCoordinators() }},
	{"transactional id hijacked", (*world).hijack},
	{"a broker comes", func(w *world, _ context.Context) { _, _, _ = w.cluster.AddNode(-1, 9100+w.intN(400)) }},
	{"a broker goes", func(w *world, _ context.Context) { _ = w.cluster.RemoveNode(int32(1 + w.intN(3))) }},
	{"the clock jumps", func(w *world, _ context.Context) { w.jump() }},
	{"brokers answer with an error", (*world).answer},
	{"brokers answer with an error", (*world).answer},
	{"brokers answer with an error", (*world).answer},
	{"group offsets lost", (*world).loseOffsets},
}

// trouble1 makes trouble from outside until ctx ends.
func (w *world) trouble1(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(200+w.intN(2500)) * time.Millisecond):
		}
		x := troubles[w.intN(len(troubles))]
		if some := w.planted.troubles; some != nil && !slices.Contains(some, x.name) {
			continue
		}
		w.count(x.name)
		w.log.Info(x.name)
		x.do(w, ctx)
	}
}

// victim does something to one of the processes.
func (w *world) victim(do func(*life)) {
	if l := w.all[w.intN(len(w.all))].current(); l != nil {
		do(l)
	}
}

// jump moves the wall clock of all processes a little, or, where time is to go on
// after the last event, by a day or two.
func (w *world) jump() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += time.Duration(w.rng.IntN(2_000)-500) * time.Millisecond
	if w.live {
		w.ahead += time.Duration(w.rng.IntN(48)) * time.Hour
	}
}

// hijack takes the transactional id of an instance, as a second process of the same
// name would.
func (w *world) hijack(ctx context.Context) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.Dialer(newLine(w, nil).dial),
		kgo.TransactionalID(app+"-"+w.all[w.intN(len(w.all))].name))
	if err != nil {
		return
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, _, _ = cl.ProducerID(ctx)
}

// answer has brokers answer with an error some times.
func (w *world) answer(context.Context) {
	e := brokerErrors[w.intN(len(brokerErrors))]
	key := e.keys[w.intN(len(e.keys))]
	f := kfake.Fault{Keys: []kmsg.Key{key}, Err: e.err, Count: 1 + w.intN(4)}
	switch name := app + "-" + w.all[w.intN(len(w.all))].name; key {
	case kmsg.Produce, kmsg.EndTxn, kmsg.AddPartitionsToTxn:
		f.TxnID = name
	case kmsg.InitProducerID:
		f.TxnID, f.TopLevel = name, false
	case kmsg.TxnOffsetCommit, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat, kmsg.OffsetFetch, kmsg.ConsumerGroupHeartbeat:
		f.Group = app
	}
	w.count(e.err.Message + " to " + key.Name())
	h := w.cluster.Fault(f)
	time.AfterFunc(5*time.Second, func() {
		for range h.Hits() {
			w.count("broker errors answered")
		}
		h.Remove()
	})
}

// loseOffsets kills all processes and sets the group's offsets back, or deletes
// them, before they come again.
func (w *world) loseOffsets(context.Context) {
	ctx := context.Background()
	w.mu.Lock()
	w.downUntil = time.Now().Add(9 * time.Second)
	w.mu.Unlock()
	for _, in := range w.all {
		if l := in.current(); l != nil {
			l.kill("all at once")
		}
	}
	time.Sleep(8 * time.Second) // in which the group forgets its members
	if w.intN(2) == 0 {
		_, _ = w.adm.DeleteGroup(ctx, app)
		return
	}
	offs, err := w.adm.FetchOffsets(ctx, app)
	if err != nil {
		return
	}
	for p := range w.partitions {
		if o, ok := offs.Lookup(topic, p); ok && o.At > 0 {
			o.At = int64(w.intN(int(o.At)))
			offs.Add(o)
		}
	}
	_ = w.adm.CommitAllOffsets(ctx, app, offs.Offsets())
}
