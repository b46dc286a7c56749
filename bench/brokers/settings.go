package brokers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// settings are the properties of node i, those of the configuration last.
func (c *Cluster) settings(i int) string {
	n := c.nodes[i]
	copies, inSync := len(c.nodes), max(1, len(c.nodes)-1)
	var voters []string
	for _, n := range c.nodes {
		voters = append(voters, fmt.Sprintf("%d@%s", n.id, n.control))
	}
	set := map[string]string{
		"process.roles":                  "broker,controller",
		"node.id":                        fmt.Sprint(n.id),
		"controller.quorum.voters":       strings.Join(voters, ","),
		"controller.listener.names":      "CONTROLLER",
		"listeners":                      "PLAINTEXT://" + n.addr + ",CONTROLLER://" + n.control,
		"advertised.listeners":           "PLAINTEXT://" + n.addr,
		"listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"log.dirs":                       n.data(),

		"auto.create.topics.enable":                "false",
		"num.partitions":                           "8",
		"default.replication.factor":               fmt.Sprint(copies),
		"min.insync.replicas":                      fmt.Sprint(inSync),
		"offsets.topic.num.partitions":             "8",
		"offsets.topic.replication.factor":         fmt.Sprint(copies),
		"transaction.state.log.num.partitions":     "8",
		"transaction.state.log.replication.factor": fmt.Sprint(copies),
		"transaction.state.log.min.isr":            fmt.Sprint(inSync),

		// A dead or paused broker is noticed within seconds. Shorter, and a busy
		// machine takes living ones for dead.
		"broker.heartbeat.interval.ms": "500",
		"broker.session.timeout.ms":    "4000",
		"replica.lag.time.max.ms":      "10000",

		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",

		"group.initial.rebalance.delay.ms":         "0",
		"group.min.session.timeout.ms":             "1000",
		"group.consumer.min.session.timeout.ms":    "1000",
		"group.consumer.session.timeout.ms":        "6000",
		"group.consumer.min.heartbeat.interval.ms": "500",
		"group.consumer.heartbeat.interval.ms":     "1000",

		// Small, for several brokers share a machine with what they serve.
		"num.network.threads":                 "2",
		"num.io.threads":                      "4",
		"background.threads":                  "2",
		"group.coordinator.threads":           "2",
		"log.cleaner.dedupe.buffer.size":      "8388608",
		"log.index.size.max.bytes":            "1048576",
		"offsets.topic.segment.bytes":         "16777216",
		"transaction.state.log.segment.bytes": "16777216",
	}
	maps.Copy(set, c.cfg.Settings)
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(&b, "%s=%s\n", key, set[key])
	}
	return b.String()
}
