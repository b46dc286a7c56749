// Package kafka binds the pipeline to Apache Kafka: the transactional group
// session, the changelog's reader, and the topics.
package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Config says where Kafka is and how to speak to it.
type Config struct {
	Brokers        []string      `yaml:"brokers" doc:"bootstrap servers, host:port"`
	Topic          string        `yaml:"topic" doc:"topic of customer events, keyed by customer id, or see repartition"`
	Repartition    bool          `yaml:"repartition" doc:"the topic is not keyed by customer id: pass it through <app_id>.repartition, which is; choose once for an app_id"`
	Partitions     int           `yaml:"partitions" doc:"partitions of <app_id>.repartition, should dangol create it; 0: as many as the topic has"`
	Start          string        `yaml:"start" doc:"where a partition without committed offset and state begins: earliest or latest"`
	Deleted        string        `yaml:"deleted" doc:"what to do where the input has lost records before they were read, by its retention for one: refuse (stop and say which) or skip (go on with the first that it still has)"`
	Instance       string        `yaml:"instance" doc:"name of this process among those of one app_id; stable over restarts, it makes a restart take over at once"`
	GroupProtocol  string        `yaml:"group_protocol" doc:"who spreads the partitions over the instances: classic (they do, so that a partition goes to its standby) or consumer (the brokers, by KIP-848; 4.0 and later)"`
	Standbys       int           `yaml:"standbys" doc:"how many other instances keep a copy of each partition's state up to date, to take it over in a second; 0 to 2"`
	SessionTimeout time.Duration `yaml:"session_timeout" doc:"after this silence the group takes the partitions from a member; 6s to 5m; group_protocol consumer goes by the brokers' setting instead"`
	Delivery       string        `yaml:"delivery" doc:"exactly_once, by Kafka's transactions; or at_least_once, without them: after a crash outputs may come twice"`
	TxnTimeout     time.Duration `yaml:"transaction_timeout" doc:"after this time the broker aborts a transaction; 5s to 15m"`
	Replication    int           `yaml:"replication" doc:"replication factor of topics that dangol creates; -1: the broker's default"`
	FetchMaxBytes  int           `yaml:"fetch_max_bytes" doc:"most bytes of one fetch, and of one decompressed batch"`
	TLS            TLS           `yaml:"tls"`
	SASL           SASL          `yaml:"sasl"`

	// Advertise is the host:port at which other instances reach this one's API, or
	// empty. The group's members learn it from the group.
	Advertise string `yaml:"-"`
}

// The group protocols.
const (
	classicProtocol  = "classic"
	consumerProtocol = "consumer"
)

// skipDeleted is Config.Deleted where what was deleted unread is gone on without.
const skipDeleted = "skip"

// The delivery modes.
const (
	exactlyOnce = "exactly_once"
	atLeastOnce = "at_least_once"
)

// AtLeastOnce says whether outputs and offsets are written without transactions.
func (c *Config) AtLeastOnce() bool { return c.Delivery == atLeastOnce }

// Promise is what the delivery mode promises, in words.
func (c *Config) Promise() string {
	if c.AtLeastOnce() {
		return "at-least-once"
	}
	return exactlyOnceName
}

// TLS is the encryption of the connection.
type TLS struct {
	Enabled  bool   `yaml:"enabled" doc:"speak TLS to the brokers"`
	CAFile   string `yaml:"ca_file" doc:"PEM file of the authority that signed the brokers' certificates; empty: the system's"`
	CertFile string `yaml:"cert_file" doc:"PEM file of the client's certificate; empty: none"`
	KeyFile  string `yaml:"key_file" doc:"PEM file of the client's key"`
}

// SASL is the authentication of the client.
type SASL struct {
	Mechanism string `yaml:"mechanism" doc:"plain, scram-sha-256, scram-sha-512; empty: none"`
	Username  string `yaml:"username" doc:"user name"`
	Password  string `yaml:"password" doc:"password; best given as ${VAR}"`
}

// DefaultConfig is a broker on this machine.
func DefaultConfig() Config {
	return Config{
		Brokers: []string{"127.0.0.1:9092"}, Topic: "events", Start: "earliest", Deleted: "refuse", Instance: "0", GroupProtocol: classicProtocol,
		Delivery: exactlyOnce, SessionTimeout: 10 * time.Second, TxnTimeout: 15 * time.Second, Replication: -1,
		FetchMaxBytes: 16 << 20,
	}
}

// mostPartitions keeps a slip of the finger from making a million of them.
const mostPartitions = 10_000

// mostFetch is half of the largest answer that a client can be made to take.
const mostFetch = 512 << 20

// mostAnswer is how large an answer of a broker may be: one to a fetch has as many
// bytes as were asked for, and a whole batch more.
func (c *Config) mostAnswer() int32 { return int32(max(100<<20, 2*c.FetchMaxBytes)) }

// Validate reports every fault.
func (c *Config) Validate() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(c.Brokers) == 0 {
		fault("brokers: none given, at least one host:port is needed")
	}
	for i, b := range c.Brokers {
		if _, _, err := net.SplitHostPort(b); err != nil {
			fault("brokers[%d]: %q is not host:port", i, b)
		}
	}
	if c.Topic == "" {
		fault("topic: must not be empty")
	}
	if c.Partitions < 0 || c.Partitions > mostPartitions {
		fault("partitions: %d is outside 0 to %d", c.Partitions, mostPartitions)
	}
	if c.Partitions > 0 && !c.Repartition {
		fault("partitions: is of the repartition topic, and input.repartition is false: set it to true, or leave this out")
	}
	if c.Start != "earliest" && c.Start != "latest" {
		fault("start: %q is neither earliest nor latest", c.Start)
	}
	if c.Deleted != "refuse" && c.Deleted != skipDeleted {
		fault("deleted: %q is neither refuse nor skip", c.Deleted)
	}
	if c.Instance == "" {
		fault("instance: must not be empty")
	}
	if c.GroupProtocol != classicProtocol && c.GroupProtocol != consumerProtocol {
		fault("group_protocol: %q is neither classic nor consumer", c.GroupProtocol)
	}
	if c.Standbys < 0 || c.Standbys > 2 {
		fault("standbys: %d is outside 0 to 2", c.Standbys)
	}
	if c.SessionTimeout < 6*time.Second || c.SessionTimeout > 5*time.Minute {
		fault("session_timeout: %s is outside 6s to 5m", c.SessionTimeout)
	}
	if c.Delivery != exactlyOnce && c.Delivery != atLeastOnce {
		fault("delivery: %q is neither exactly_once nor at_least_once", c.Delivery)
	}
	if c.AtLeastOnce() && c.Repartition {
		fault("delivery: at_least_once and input.repartition do not go together, for that stage works by transactions: key the input by customer id, or use exactly_once")
	}
	if c.TxnTimeout < 5*time.Second || c.TxnTimeout > 15*time.Minute {
		fault("transaction_timeout: %s is outside 5s to 15m", c.TxnTimeout)
	}
	if c.Replication != -1 && (c.Replication < 1 || c.Replication > 1000) {
		fault("replication: %d is neither -1 nor 1 to 1000", c.Replication)
	}
	if c.FetchMaxBytes < 64<<10 || c.FetchMaxBytes > mostFetch {
		fault("fetch_max_bytes: %d is outside 65536 to %d", c.FetchMaxBytes, mostFetch)
	}
	switch c.SASL.Mechanism {
	case "":
	case "plain", "scram-sha-256", "scram-sha-512":
		if c.SASL.Username == "" {
			fault("sasl.username: must not be empty with mechanism %s", c.SASL.Mechanism)
		}
	default:
		fault("sasl.mechanism: %q is none of plain, scram-sha-256, scram-sha-512", c.SASL.Mechanism)
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		fault("tls.cert_file: needs tls.key_file, and the other way round")
	}
	return errors.Join(errs...)
}

// Options are the client options that every client of this configuration
// shares: addresses, encryption, authentication.
func (c *Config) Options() ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.SeedBrokers(c.Brokers...), kgo.ClientID(clientID("")), kgo.BrokerMaxReadBytes(c.mostAnswer())}
	if c.TLS.Enabled {
		t, err := c.TLS.config()
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(t))
	}
	switch c.SASL.Mechanism {
	case "plain":
		opts = append(opts, kgo.SASL(plain.Auth{User: c.SASL.Username, Pass: c.SASL.Password}.AsMechanism()))
	case "scram-sha-256":
		opts = append(opts, kgo.SASL(scram.Auth{User: c.SASL.Username, Pass: c.SASL.Password}.AsSha256Mechanism()))
	case "scram-sha-512":
		opts = append(opts, kgo.SASL(scram.Auth{User: c.SASL.Username, Pass: c.SASL.Password}.AsSha512Mechanism()))
	}
	return opts, nil
}

func (t *TLS) config() (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("input.tls.ca_file: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("input.tls.ca_file: %s holds no PEM certificate", t.CAFile)
		}
	}
	if t.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("input.tls.cert_file: %w", err)
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	return cfg, nil
}
