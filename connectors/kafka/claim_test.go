package kafka

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/twmb/franz-go/pkg/kadm"
)

// sound is a cluster with nothing to find fault with.
func sound() (*facts, *Config) {
	c := DefaultConfig()
	f := &facts{brokers: 3, txn: 2, topics: map[string]*topicFacts{}, broker: map[string]string{
		"transaction.state.log.replication.factor": "3", "transaction.state.log.min.isr": "2", "offsets.topic.replication.factor": "3",
	}}
	add := func(name, policy string) {
		f.topics[name] = &topicFacts{partitions: 8, replicas: 3, settings: map[string]string{
			"cleanup.policy": policy, "min.insync.replicas": "2", "unclean.leader.election.enable": "false", "max.message.bytes": "1048588",
		}}
	}
	add(c.Topic, "delete")
	for _, t := range ours {
		add(TopicName("app", t), *topicConfigs(t)["cleanup.policy"])
	}
	f.topics["app.pairs"].settings["retention.ms"] = "-1"
	f.topics["app.pairs"].settings["retention.bytes"] = "-1"
	f.topics[txnState] = &topicFacts{partitions: 50, replicas: 3}
	f.topics[offsets] = &topicFacts{partitions: 50, replicas: 3}
	return f, &c
}

// Each setting that does not bear the claim is named, with its value, what is needed
// and how to get there.
func TestClaimNamesEachFault(t *testing.T) {
	set := func(topic, key, value string) func(*facts, *Config) {
		return func(f *facts, _ *Config) { f.topics[topic].settings[key] = value }
	}
	for _, tc := range []struct {
		name  string
		spoil func(*facts, *Config)
		sev   Severity
		says  []string
	}{
		{"input's replicas", func(f *facts, _ *Config) { f.topics["events"].replicas = 2 }, Warning, []string{"replication factor 2 (events)", "needs 3", "kafka-reassign-partitions.sh"}},
		{"our replicas", func(f *facts, _ *Config) { f.topics["app.scores"].replicas = 2; f.topics["app.models"].replicas = 2 }, Warning, []string{"replication factor 2 (app.scores, app.models)"}},
		{"replicas to come", func(f *facts, c *Config) { delete(f.topics, "app.pairs"); c.Replication = 1 }, Warning, []string{"input.replication 1, with which missing topics are made", "set input.replication: 3"}},
		{"brokers' replicas to come", func(f *facts, _ *Config) {
			delete(f.topics, "app.pairs")
			f.broker["default.replication.factor"] = "1"
		}, Warning, []string{"default.replication.factor 1"}},
		{"in sync", set("app.changelog", "min.insync.replicas", "1"), Warning, []string{"min.insync.replicas 1 (app.changelog)", "needs 2", "kafka-configs.sh"}},
		{"all in sync", set("app.changelog", "min.insync.replicas", "3"), Warning, []string{"as high as the replication factor, 3 (app.changelog)"}},
		{"more in sync than there are", set("app.changelog", "min.insync.replicas", "4"), Warning, []string{"above the replication factor, 4 (app.changelog)"}},
		{"unclean leaders", set("events", "unclean.leader.election.enable", "true"), Warning, []string{"unclean.leader.election.enable true (events)", "needs false"}},
		{"transactions", func(f *facts, _ *Config) { f.txn = 1 }, Warning, []string{"transaction.version is 1", "needs 2", "kafka-features.sh"}},
		{"coordinator's replicas", func(f *facts, _ *Config) { f.topics[txnState].replicas = 1 }, Warning, []string{"__transaction_state has replication factor 1"}},
		{"coordinator's setting", func(f *facts, _ *Config) {
			delete(f.topics, txnState)
			f.broker["transaction.state.log.replication.factor"] = "2"
		}, Warning, []string{"__transaction_state has replication factor 2"}},
		{"coordinator in sync", func(f *facts, _ *Config) { f.broker["transaction.state.log.min.isr"] = "1" }, Warning, []string{"transaction.state.log.min.isr is 1"}},
		{"offsets", func(f *facts, _ *Config) { f.topics[offsets].replicas = 1 }, Warning, []string{"__consumer_offsets has replication factor 1"}},
		{"old broker", func(f *facts, _ *Config) { f.old = "broker 1 is v2.4" }, Refusal, []string{"broker 1 is v2.4", "needs Kafka 2.5"}},
		{"small records", set("app.population", "max.message.bytes", "500000"), Warning, []string{"max.message.bytes 500000 (app.population)", "1000012 are needed"}},
		{"deleted state", set("app.changelog", "cleanup.policy", "compact,delete"), Refusal, []string{"app.changelog has cleanup.policy compact,delete", "must be compact", "cleanup.policy=compact"}},
		{"deleted snapshots", set("app.population", "cleanup.policy", "delete"), Refusal, []string{"app.population has cleanup.policy delete", "must be compact"}},
		{"compacted log", set("app.pairs", "cleanup.policy", "compact"), Refusal, []string{"app.pairs has cleanup.policy compact", "must be delete"}},
		{"log that ends", set("app.pairs", "retention.ms", "604800000"), Warning, []string{"app.pairs has retention.ms 604800000", "must be -1", "retention.ms=-1"}},
		{"log that fills", set("app.pairs", "retention.bytes", "1000"), Warning, []string{"app.pairs has retention.bytes 1000"}},
		{"partitions", func(f *facts, _ *Config) { f.topics["app.changelog"].partitions = 4 }, Refusal, []string{"has 4 partitions, the input \"events\" has 8", "start with a new app_id"}},
		{"no input", func(f *facts, _ *Config) { delete(f.topics, "events") }, Warning, []string{"\"events\" does not exist", "create it"}},
		{"no right", func(f *facts, _ *Config) { f.unread = []string{"topic events", "the cluster"} }, Warning, []string{"topic events, the cluster could not be read", "DescribeConfigs"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, c := sound()
			require.Empty(t, f.judge("app", c))
			tc.spoil(f, c)
			found := f.judge("app", c)
			require.Len(t, found, 1, "%v", found)
			require.Equal(t, tc.sev, found[0].Severity)
			for _, s := range tc.says {
				require.Contains(t, found[0].Text, s)
			}
		})
	}
}

// Without transactions nobody asks for their settings; of what is asked for, the
// texts say what it is for.
func TestClaimOfAtLeastOnce(t *testing.T) {
	f, c := sound()
	c.Delivery = atLeastOnce
	f.txn, f.old = 0, "broker 1 is v2.4"
	f.topics[txnState].replicas, f.broker["transaction.state.log.min.isr"] = 1, "1"
	require.Empty(t, f.judge("app", c))
	f.topics[offsets].replicas = 1
	found := f.judge("app", c)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Text, "at-least-once needs 3")
}

func TestClaimPutsRefusalsFirst(t *testing.T) {
	f, c := sound()
	f.txn, f.old = 0, "broker 1 is v2.4"
	f.topics["app.pairs"].settings["cleanup.policy"] = "compact"
	var sevs []string
	for _, one := range f.judge("app", c) {
		sevs = append(sevs, one.Severity.String())
	}
	require.Equal(t, []string{"refused", "refused", "warning"}, sevs)
}

// What is not known is not held against anybody: brokers differ in what they tell.
func TestClaimOfSilentBrokers(t *testing.T) {
	f, c := sound()
	f.broker = map[string]string{}
	for _, topic := range f.topics {
		topic.settings = map[string]string{}
	}
	require.Empty(t, f.judge("app", c))
}

// One broker is one line, before the topics are made and after, and a topic that
// loses state is refused there too.
func TestClaimOfOneBroker(t *testing.T) {
	_, cfg, cl := fakeCluster(t)
	adm := kadm.NewClient(cl)
	for range 2 {
		found, err := CheckClaim(t.Context(), "app", cfg)
		require.NoError(t, err)
		require.Len(t, found, 1, "%v", found)
		require.Equal(t, Warning, found[0].Severity)
		require.Contains(t, found[0].Text, "there is one broker")
		require.NoError(t, EnsureTopics(t.Context(), adm, "app", cfg))
	}
	value := "delete"
	_, err := adm.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "cleanup.policy", Value: &value}}, "app.changelog")
	require.NoError(t, err)
	found, err := CheckClaim(t.Context(), "app", cfg)
	require.NoError(t, err)
	require.Equal(t, Refusal, found[0].Severity)
	require.Contains(t, found[0].Text, "app.changelog has cleanup.policy delete")
}

// Three brokers: what they say of themselves arrives at the judgement.
func TestClaimAsksTheBrokers(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(2, "events"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	cfg := DefaultConfig()
	cfg.Brokers = c.ListenAddrs()
	cl, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	f, err := gather(t.Context(), cl, "app", &cfg)
	require.NoError(t, err)
	require.Equal(t, 3, f.brokers)
	require.Equal(t, 2, f.txn)
	require.Empty(t, f.old)
	require.Equal(t, 2, f.topics["events"].partitions)
	require.Equal(t, "1", f.topics["events"].settings["min.insync.replicas"])
	require.Equal(t, "3", f.broker["default.replication.factor"])
	found := f.judge("app", &cfg)
	require.True(t, slices.ContainsFunc(found, func(f Finding) bool { return strings.Contains(f.Text, "min.insync.replicas 1 (events)") }), "%v", found)
}

// With a repartition stage the input is looked at, and what is between; the changelog
// has as many partitions as that.
func TestClaimBehindTheStage(t *testing.T) {
	f, c := sound()
	c.Repartition = true
	require.Empty(t, f.judge("app", c), "the topic between is yet to come")
	between := *f.topics["events"]
	between.partitions = 8
	f.topics["events"].partitions, f.topics["app.repartition"] = 3, &between
	require.Empty(t, f.judge("app", c))
	between.partitions, between.replicas = 4, 2
	texts := fmt.Sprint(f.judge("app", c))
	require.Contains(t, texts, `the input "app.repartition" has 4`)
	require.Contains(t, texts, "replication factor 2 (app.repartition)")
	delete(f.topics, "events")
	require.Contains(t, fmt.Sprint(f.judge("app", c)), `input topic "events" does not exist`)
}

// Brokers before Kafka 2.5 are refused.
func TestClaimRefusesOldBrokers(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "events"), kfake.MaxVersions(kversion.V2_4_0()))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	cfg := DefaultConfig()
	cfg.Brokers = c.ListenAddrs()
	found, err := CheckClaim(t.Context(), "app", &cfg)
	require.NoError(t, err)
	require.Equal(t, Refusal, found[0].Severity)
	require.Contains(t, found[0].Text, "exactly-once needs Kafka 2.5")
	require.Contains(t, fmt.Sprint(found[1:]), "transaction.version is 0")
}
