package kafka

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// refused runs a stage that must not work.
func (u *unkeyed) refused(says string) {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.t.Context(), 30*time.Second)
	defer cancel()
	err := u.stage("0").Run(ctx)
	require.ErrorIs(u.t, err, pipeline.ErrFatal)
	require.ErrorContains(u.t, err, says)
}

func (u *unkeyed) settingsOf(topic string) map[string]string {
	u.t.Helper()
	return u.stage("look").settings(u.t.Context(), topic)
}

func putOne(t *testing.T, u *unkeyed, topic string) {
	t.Helper()
	require.NoError(t, u.cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("v")}).FirstErr())
}

// The topic keeps all that is not read yet, takes what the input takes, and has
// the input's number of partitions, or the configured one for good.
func TestRepartitionTopic(t *testing.T) {
	u := newUnkeyed(t, 3, 1)
	require.NoError(t, u.stage("0").Prepare(t.Context()))
	require.NoError(t, u.stage("1").Prepare(t.Context()), "it is there")
	details, err := u.adm.ListTopics(kadm.WithAuthorizedOps(t.Context()), "app.repartition", "app.changelog")
	require.NoError(t, err)
	require.Len(t, details["app.repartition"].Partitions, 3)
	require.Len(t, details["app.changelog"].Partitions, 3)
	set := u.settingsOf("app.repartition")
	require.Equal(t, "-1", set["retention.ms"])
	require.Equal(t, "delete", set["cleanup.policy"])
	require.Equal(t, "16777216", set["max.message.bytes"])

	u.cfg.Partitions = 3
	require.NoError(t, u.stage("0").Prepare(t.Context()))
	u.cfg.Partitions = 5
	u.refused("has 3 partitions, input.partitions says 5")

	u = newUnkeyed(t, 3, 1)
	u.cfg.Partitions = 5
	require.NoError(t, u.stage("0").Prepare(t.Context()))
	details, err = u.adm.ListTopics(kadm.WithAuthorizedOps(t.Context()), "app.repartition", "app.changelog")
	require.NoError(t, err)
	require.Len(t, details["app.repartition"].Partitions, 5)
	require.Len(t, details["app.changelog"].Partitions, 5)
}

// An app_id that has read its input directly has state of other places.
func TestRepartitionIsChosenOnce(t *testing.T) {
	u := newUnkeyed(t, 2, 1, kfake.SeedTopics(2, "app.changelog"))
	putOne(t, u, "app.changelog")
	u.refused("topic app.repartition is missing, but app_id \"app\" has state")

	u = newUnkeyed(t, 2, 1, kfake.SeedTopics(2, "app.repartition"))
	err := EnsureTopics(t.Context(), u.adm, "app", u.cfg)
	require.ErrorIs(t, err, pipeline.ErrFatal)
	require.ErrorContains(t, err, "set input.repartition to true again")

	u = newUnkeyed(t, 2, 1, kfake.SeedTopics(2, "app.repartition"), kfake.SeedTopics(3, "app.changelog"))
	require.ErrorContains(t, u.stage("0").Prepare(t.Context()), `topic "app.changelog" has 3 partitions, the input "app.repartition" has 2`)
}

// Nothing is passed on a second time because offsets are gone.
func TestRepartitionRefusesLostOffsets(t *testing.T) {
	u := newUnkeyed(t, 2, 1, kfake.SeedTopics(2, "app.repartition"))
	putOne(t, u, "app.repartition")
	u.refused("has no committed offset in events")

	u = newUnkeyed(t, 1, 1)
	u.feed(1, 20)
	r := u.stage("0")
	stop := u.run(r)
	u.drained()
	stop()
	u.feed(1, 20)
	var past kadm.Offsets
	past.AddOffset("events", 0, 30, -1)
	_, err := u.adm.DeleteRecords(t.Context(), past)
	require.NoError(t, err)
	u.refused("no longer has the record at the committed offset")
}

func TestRepartitionRefusesCompaction(t *testing.T) {
	u := newUnkeyed(t, 1, 1)
	policy := "compact"
	_, err := u.adm.CreateTopic(t.Context(), 1, 1, map[string]*string{"cleanup.policy": &policy}, "app.repartition")
	require.NoError(t, err)
	u.refused("cleanup.policy=compact")
}

// Large records pass where the topic was made for them; one that the topic
// refuses stops the stage, which says what to raise.
func TestRepartitionOfLargeRecords(t *testing.T) {
	large := func(n int) *kgo.Record {
		return &kgo.Record{Topic: "events", Value: fmt.Appendf(nil, `{"customer_id":"c","note":%q}`, bytes.Repeat([]byte("x"), n))}
	}
	u := newUnkeyed(t, 1, 1, kfake.BrokerConfigs(map[string]string{"group.min.session.timeout.ms": "500", "message.max.bytes": "4000000"}))
	cl, err := kgo.NewClient(kgo.SeedBrokers(u.cfg.Brokers...), kgo.ProducerBatchMaxBytes(4_000_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	require.NoError(t, err)
	defer cl.Close()
	u.cl = cl
	u.send(large(3_900_000), large(10))
	stop := u.run(u.stage("0"))
	u.drained()
	stop()
	u.check()

	size := "100000"
	config := kadm.AlterConfig{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &size}
	_, err = u.adm.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{config}, "app.repartition")
	require.NoError(t, err)
	u.send(large(200_000))
	u.refused("raise max.message.bytes of topic app.repartition")
}

// What the pipeline has committed is deleted, and nothing else.
func TestRepartitionPurges(t *testing.T) {
	u := newUnkeyed(t, 2, 1)
	u.feed(2, 100)
	r := u.stage("0")
	require.NoError(t, r.purge(t.Context()), "no group yet")
	stop := u.run(r)
	u.drained()
	stop()
	r = u.stage("0")
	require.NoError(t, r.purge(t.Context()), "no group yet")
	var read kadm.Offsets
	read.AddOffset("app.repartition", 0, 7, -1)
	read.AddOffset("app.repartition", 1, 0, -1)
	require.NoError(t, u.adm.CommitAllOffsets(t.Context(), "app", read))
	require.NoError(t, r.purge(t.Context()))
	starts, err := u.adm.ListStartOffsets(t.Context(), "app.repartition")
	require.NoError(t, err)
	require.EqualValues(t, 7, starts["app.repartition"][0].Offset)
	require.EqualValues(t, 0, starts["app.repartition"][1].Offset)
}
