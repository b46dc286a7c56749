//go:build realkafka

package kafka

import (
	"encoding/binary"
	"hash/crc32"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/dangol-dev/dangol/bench/brokers"
)

// On a real Kafka an open transaction is listed and aborted by its id, and one that
// hangs by its place; both times committed records come again.
func TestTxnsOnRealKafka(t *testing.T) {
	_, cfg, cl := realCluster(t, brokers.Config{Nodes: 1, Settings: map[string]string{"transaction.partition.verification.enable": "false"}})
	require.NoError(t, EnsureTopics(t.Context(), kadm.NewClient(cl), "app", cfg))
	for _, topic := range []string{"app.changes", "app.pairs"} {
		_, _, err := await(t.Context(), cl, topic)
		require.NoError(t, err)
	}
	x := txns(t, cfg)
	mine := opened(t, cfg, "app-0", "app.changes", 2)
	hang(t, cfg, "app.pairs", 1)

	var open, ghost Transaction
	all, err := x.List(t.Context())
	require.NoError(t, err)
	for _, tx := range all {
		switch {
		case tx.State == Hanging:
			ghost = tx
		case tx.ID == "app-0":
			open = tx
		}
	}
	require.Equal(t, "Ongoing", open.State)
	require.Equal(t, []OpenPart{{"app.changes", 2, 0}}, open.Parts)
	require.WithinDuration(t, time.Now(), open.Since, 5*time.Minute)
	require.Equal(t, []OpenPart{{"app.pairs", 1, 0}}, ghost.Parts)

	_, err = x.AbortID(t.Context(), "app-0", false)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return stable(t, x, "app.changes", 2) == 2 }, time.Minute, 10*time.Millisecond)
	require.Error(t, mine.EndTransaction(t.Context(), kgo.TryCommit), "it is fenced off")

	require.Equal(t, int64(0), stable(t, x, "app.pairs", 1))
	_, err = x.AbortHanging(t.Context(), ghost.Parts[0], false)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return stable(t, x, "app.pairs", 1) == 2 }, time.Minute, 10*time.Millisecond)
	all, err = x.List(t.Context())
	require.NoError(t, err)
	for _, tx := range all {
		require.Empty(t, tx.Parts)
	}
}

// hang writes a record of a transaction of which the coordinator is never told.
func hang(t *testing.T, cfg *Config, topic string, partition int32) {
	t.Helper()
	id := "ghost"
	cl, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.TransactionalID(id), kgo.MaxVersions(kversion.V3_5_0())) // newer brokers tell it themselves
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	producer, epoch, err := cl.ProducerID(t.Context())
	require.NoError(t, err)
	_, d, err := await(t.Context(), cl, topic)
	require.NoError(t, err)
	leader := int32(-1)
	for _, p := range d.Partitions {
		if p.Partition == partition {
			leader = p.Leader
		}
	}
	now := time.Now().UnixMilli()
	record := kmsg.Record{Value: []byte("x"), Length: 7}
	batch := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, Attributes: 0x10, FirstTimestamp: now, MaxTimestamp: now,
		ProducerID: producer, ProducerEpoch: epoch, NumRecords: 1, Records: record.AppendTo(nil),
	}
	batch.Length = int32(49 + len(batch.Records))
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))

	req := kmsg.NewPtrProduceRequest()
	req.TransactionID, req.Acks, req.TimeoutMillis = &id, -1, 10_000
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic, rt.TopicID = topic, d.TopicID
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Partition, rp.Records = partition, raw
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(t.Context(), cl.Broker(int(leader)))
	require.NoError(t, err)
	require.NoError(t, kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode))
}
