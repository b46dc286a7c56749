package kafka

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Severity says what a finding is for who starts the engine.
type Severity uint8

const (
	// Warning is of a setting that does not support the claim when a broker or a disk is
	// lost.
	Warning Severity = 1
	// Refusal is of one under which state or events would be lost in quiet times.
	Refusal Severity = 2
)

func (s Severity) String() string {
	if s == Refusal {
		return "refused"
	}
	return "warning"
}

// Finding is a setting of the brokers or of a topic that does not bear what is promised:
// its value, what is needed, how to get there.
type Finding struct {
	Severity Severity
	Text     string
}

// exactlyOnceName is Config.Promise of delivery exactly_once.
const exactlyOnceName = "exactly-once"

// What the claim needs.
const (
	needReplicas = 3
	needInSync   = 2
	needTxn      = 2         // transaction.version
	needBytes    = 1_000_012 // the client's largest batch
)

// CheckClaim asks the brokers for the settings that the claim of exactly-once, or of
// at-least-once, depends on. It changes nothing; topics that are not there yet are judged as they
// would be made. An error says that the brokers could not be asked.
func CheckClaim(ctx context.Context, app string, c *Config) ([]Finding, error) {
	opts, err := c.Options()
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	f, err := gather(ctx, cl, app, c)
	if err != nil {
		return nil, err
	}
	return f.judge(app, c), nil
}

// judge names what is wrong, refusals first.
func (f *facts) judge(app string, c *Config) []Finding {
	j := &judgement{facts: f, app: app, c: c}
	if !c.AtLeastOnce() {
		j.version()
	}
	j.topicPolicies()
	if f.brokers == 1 {
		j.warn("there is one broker: nothing is replicated, and its loss is the loss of the input, of the state and of all results; " +
			"that is for development, exactly-once needs three brokers, replication factor 3 and min.insync.replicas 2")
	} else {
		j.replication()
		j.inSync()
		j.unclean()
		j.ownTopics()
	}
	if !c.AtLeastOnce() {
		j.txnVersion()
	}
	j.size()
	if len(f.unread) > 0 {
		j.warn("the settings of %s could not be read, and are taken on trust: allow the operation DescribeConfigs", strings.Join(f.unread, ", "))
	}
	slices.SortStableFunc(j.all, func(a, b Finding) int { return int(b.Severity) - int(a.Severity) })
	return j.all
}

// judgement gathers the findings.
type judgement struct {
	*facts
	app string
	c   *Config
	all []Finding
}

func (j *judgement) warn(format string, args ...any) {
	j.add(Warning, format, args)
}

func (j *judgement) refuse(format string, args ...any) {
	j.add(Refusal, format, args)
}

// add takes a finding, of which the text names the promise that was configured.
func (j *judgement) add(s Severity, format string, args []any) {
	text := strings.ReplaceAll(format, exactlyOnceName, j.c.Promise())
	j.all = append(j.all, Finding{s, fmt.Sprintf(text, args...)})
}

func (j *judgement) version() {
	if j.old != "" {
		j.refuse("%s, exactly-once needs Kafka 2.5 or newer: an older one does not see by itself whether a partition is still this process's", j.old)
	}
}

// topicPolicies looks at partitions and cleaning.
func (j *judgement) topicPolicies() {
	if j.topics[j.c.Topic] == nil {
		j.warn("%s", noInput(j.c.Topic)) // somebody may make it yet: the engine waits
		return
	}
	source := j.c.Source(j.app).Topic
	in := j.topics[source]
	for _, t := range ours {
		name := TopicName(j.app, t)
		d, ok := j.topics[name]
		if !ok {
			continue
		}
		if (t == pipeline.Changelog || t == pipeline.Pairs) && in != nil && d.partitions != in.partitions {
			j.refuse("%s", repartitioned(name, d.partitions, source, in.partitions))
		}
		policy, known := d.settings["cleanup.policy"]
		switch {
		case !known:
		case t == pipeline.Changelog && policy != "compact":
			j.refuse("topic %s has cleanup.policy %s, it must be compact: the state of customers at rest would be deleted; %s", name, policy, alter(name, "cleanup.policy=compact"))
		case t == pipeline.Population && policy != "compact":
			j.refuse("topic %s has cleanup.policy %s, it must be compact: snapshots would be deleted; %s", name, policy, alter(name, "cleanup.policy=compact"))
		case t == pipeline.Pairs && policy != "delete":
			j.refuse("topic %s has cleanup.policy %s, it must be delete: its records have no key; %s", name, policy, alter(name, "cleanup.policy=delete"))
		}
		for _, key := range []string{"retention.ms", "retention.bytes"} {
			if v, known := d.settings[key]; t == pipeline.Pairs && known && v != "-1" {
				j.warn("topic %s has %s %s, it must be -1: records would be deleted before every process has read them; %s", name, key, v, alter(name, key+"=-1"))
			}
		}
	}
}

// alter is how to set something of a topic.
func alter(topic, setting string) string {
	return fmt.Sprintf("kafka-configs.sh --alter --topic %s --add-config %s", topic, setting)
}

// watched are the names of the topics that are there, without Kafka's own.
func (j *judgement) watched() []string {
	return slices.DeleteFunc(j.c.topics(j.app), func(name string) bool { return j.topics[name] == nil })
}

// by gives the values that are at fault, each with the topics that have it.
func (j *judgement) by(value func(*topicFacts) (string, bool)) []string {
	return j.among(j.watched(), value)
}

func (j *judgement) among(names []string, value func(*topicFacts) (string, bool)) []string {
	of := map[string][]string{}
	for _, name := range names {
		if v, bad := value(j.topics[name]); bad {
			of[v] = append(of[v], name)
		}
	}
	var out []string
	for v, names := range of {
		out = append(out, fmt.Sprintf("%s (%s)", v, strings.Join(names, ", ")))
	}
	slices.Sort(out)
	return out
}

func (j *judgement) replication() {
	low := j.by(func(t *topicFacts) (string, bool) { return strconv.Itoa(t.replicas), t.replicas < needReplicas })
	if len(low) > 0 {
		j.warn("replication factor %s, exactly-once needs %d: the loss of a disk or two loses what was acknowledged; kafka-reassign-partitions.sh adds replicas",
			strings.Join(low, ", "), needReplicas)
	}
	if len(j.watched()) > len(ours) {
		return // none is to be made
	}
	factor, from := j.c.Replication, "input.replication"
	if factor < 0 {
		factor, from = number(j.broker, "default.replication.factor", needReplicas), "default.replication.factor"
	}
	if factor < needReplicas {
		j.warn("%s %d, with which missing topics are made, exactly-once needs %d: set input.replication: %d", from, factor, needReplicas, needReplicas)
	}
}

func (j *judgement) inSync() {
	low := j.by(func(t *topicFacts) (string, bool) {
		n := number(t.settings, "min.insync.replicas", needInSync)
		return strconv.Itoa(n), n < needInSync
	})
	if len(low) > 0 {
		j.warn("min.insync.replicas %s, exactly-once needs %d: what one broker alone has acknowledged is lost with it; kafka-configs.sh --alter --topic NAME --add-config min.insync.replicas=%d",
			strings.Join(low, ", "), needInSync, needInSync)
	}
	much := j.by(func(t *topicFacts) (string, bool) {
		n := number(t.settings, "min.insync.replicas", 1)
		return strconv.Itoa(n), n > t.replicas
	})
	if len(much) > 0 {
		j.warn("min.insync.replicas is above the replication factor, %s: a broker may refuse every write; kafka-reassign-partitions.sh adds replicas", strings.Join(much, ", "))
	}
	tight := j.by(func(t *topicFacts) (string, bool) {
		n := number(t.settings, "min.insync.replicas", 1)
		return strconv.Itoa(n), n == t.replicas && n >= needReplicas
	})
	if len(tight) > 0 {
		j.warn("min.insync.replicas is as high as the replication factor, %s: while one broker is away nothing can be written; one less is enough", strings.Join(tight, ", "))
	}
}

func (j *judgement) unclean() {
	bad := j.by(func(t *topicFacts) (string, bool) {
		v := t.settings["unclean.leader.election.enable"]
		return v, v == "true"
	})
	if len(bad) > 0 {
		j.warn("unclean.leader.election.enable %s, exactly-once needs false: a replica that lags may become leader, and what it lacks is lost; "+
			"kafka-configs.sh --alter --topic NAME --add-config unclean.leader.election.enable=false", strings.Join(bad, ", "))
	}
}

// ownTopics looks at where Kafka keeps transactions and offsets.
func (j *judgement) ownTopics() {
	for _, t := range []struct{ topic, factor, inSync string }{
		{txnState, "transaction.state.log.replication.factor", "transaction.state.log.min.isr"},
		{offsets, "offsets.topic.replication.factor", ""},
	} {
		if t.topic == txnState && j.c.AtLeastOnce() {
			continue
		}
		have := number(j.broker, t.factor, needReplicas)
		if d, ok := j.topics[t.topic]; ok {
			have = d.replicas
		}
		if have < needReplicas {
			j.warn("%s has replication factor %d (%s), exactly-once needs %d: with it the commits are lost; kafka-reassign-partitions.sh adds replicas",
				t.topic, have, t.factor, needReplicas)
		}
		if n := number(j.broker, t.inSync, needInSync); t.inSync != "" && n < needInSync {
			j.warn("%s is %d, exactly-once needs %d: set it in the brokers' configuration", t.inSync, n, needInSync)
		}
	}
}

func (j *judgement) txnVersion() {
	if j.txn < needTxn {
		j.warn("transaction.version is %d, exactly-once needs %d: a late answer to one transaction may end the next; "+
			"on Kafka 4.0 or newer kafka-features.sh upgrade --feature transaction.version=%d", j.txn, needTxn, needTxn)
	}
}

func (j *judgement) size() {
	written := slices.DeleteFunc(j.watched(), func(name string) bool { return name == j.c.Topic })
	small := j.among(written, func(t *topicFacts) (string, bool) {
		n := number(t.settings, "max.message.bytes", needBytes)
		return strconv.Itoa(n), n < needBytes
	})
	if len(small) > 0 {
		j.warn("max.message.bytes %s, %d are needed: a large record or batch would be refused, and no transaction get through; "+
			"kafka-configs.sh --alter --topic NAME --add-config max.message.bytes=1048588", strings.Join(small, ", "), needBytes)
	}
}

// number is a setting, or what is taken for it where it is not known.
func number(settings map[string]string, key string, unknown int) int {
	if n, err := strconv.Atoi(settings[key]); err == nil {
		return n
	}
	return unknown
}
