package main

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/dangol-dev/dangol/engine/ledger"
)

// Config is all that an operator can set. Each room brings its own part; what
// is here by itself belongs to no room but to the way they are wired.
type Config struct {
	AppID          string        `yaml:"app_id" doc:"names the consumer group, the transactional ids and the prefix of the topics that are written"`
	TimeZone       string        `yaml:"time_zone" doc:"IANA time zone of the calendar days: orders of one day are one purchase occasion"`
	Input          InputConfig   `yaml:"input"`
	Late           string        `yaml:"late" doc:"events later than lateness: apply (count them, and apply them to the facts) or reject (dead letters)"`
	FutureSkew     time.Duration `yaml:"future_skew" doc:"how far ahead of the wall clock an event's time may be; beyond it, a dead letter"`
	ledger.Config  `yaml:",inline"`
	Clock          string        `yaml:"clock" doc:"what moves time on when no event comes: live (the wall clock, once the input's end is reached) or event (event times alone)"`
	CommitInterval time.Duration `yaml:"commit_interval" doc:"time between transactions: shorter is fresher, longer is cheaper"`
	MaxPollRecords int           `yaml:"max_poll_records" doc:"records of one poll, which bounds a transaction"`
}

// InputConfig says where events come from.
type InputConfig struct {
	Brokers []string   `yaml:"brokers" doc:"seed brokers, host:port"`
	Topic   string     `yaml:"topic" doc:"the topic of customer events, keyed by customer id"`
	Format  string     `yaml:"format" doc:"wire format of the records: json (native events and Segment track calls)"`
	Start   string     `yaml:"start" doc:"where a group without state begins: earliest or latest"`
	SASL    SASLConfig `yaml:"sasl"`
	TLS     TLSConfig  `yaml:"tls"`
}

// SASLConfig is how the client says who it is.
type SASLConfig struct {
	Mechanism string `yaml:"mechanism" doc:"empty (none), plain, scram-sha-256 or scram-sha-512"`
	Username  string `yaml:"username" doc:"the user's name"`
	Password  string `yaml:"password" doc:"the user's password: rather ${KAFKA_PASSWORD} than the password itself"`
}

// TLSConfig is how the connection is secured.
type TLSConfig struct {
	Enabled    bool   `yaml:"enabled" doc:"speak TLS to the brokers"`
	CAFile     string `yaml:"ca_file" doc:"PEM file of the certificate authorities to trust; empty: the system's"`
	CertFile   string `yaml:"cert_file" doc:"PEM file of the client's certificate, for mutual TLS"`
	KeyFile    string `yaml:"key_file" doc:"PEM file of the client's key, for mutual TLS"`
	ServerName string `yaml:"server_name" doc:"name that the brokers' certificates must bear; empty: the host dialled"`
}

// DefaultConfig is the configuration of an empty file.
func DefaultConfig() Config {
	return Config{
		AppID:    "dangol",
		TimeZone: "UTC",
		Input: InputConfig{
			Brokers: []string{"127.0.0.1:9092"},
			Topic:   "events",
			Format:  "json",
			Start:   "earliest",
		},
		Late:           "apply",
		FutureSkew:     5 * time.Minute,
		Config:         ledger.DefaultConfig(),
		Clock:          "live",
		CommitInterval: 100 * time.Millisecond,
		MaxPollRecords: 10_000,
	}
}

// kafkaName is what Kafka takes for a topic.
var kafkaName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]*$`)

// Validate reports every fault at once, each as "path: what is wrong".
func (c *Config) Validate() error {
	var errs []error
	bad := func(path, format string, args ...any) {
		errs = append(errs, fmt.Errorf(path+": "+format, args...))
	}
	if !kafkaName.MatchString(c.AppID) || len(c.AppID) > 200 {
		bad("app_id", "%q is not 1 to 200 of the characters a-z, A-Z, 0-9, '.', '_' and '-'", c.AppID)
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "" || c.TimeZone == "Local" {
		bad("time_zone", "%q is not an IANA time zone, such as UTC or Europe/Berlin", c.TimeZone)
	}
	oneOf(bad, "late", c.Late, "apply", "reject")
	oneOf(bad, "clock", c.Clock, "live", "event")
	within(bad, "future_skew", c.FutureSkew, 0, 24*time.Hour)
	within(bad, "commit_interval", c.CommitInterval, 10*time.Millisecond, 10*time.Second)
	if c.MaxPollRecords < 1 || c.MaxPollRecords > 1_000_000 {
		bad("max_poll_records", "%d is outside 1 to 1000000", c.MaxPollRecords)
	}
	return errors.Join(append(errs,
		under("input", c.Input.Validate()),
		c.Config.Validate(),
	)...)
}

// Validate reports every fault of the input.
func (c *InputConfig) Validate() error {
	var errs []error
	bad := func(path, format string, args ...any) {
		errs = append(errs, fmt.Errorf(path+": "+format, args...))
	}
	if len(c.Brokers) == 0 {
		bad("brokers", "is empty: name at least one broker, host:port")
	}
	for i, b := range c.Brokers {
		if host, port, err := net.SplitHostPort(b); err != nil || host == "" || port == "" {
			bad(fmt.Sprintf("brokers[%d]", i), "%q is not host:port", b)
		}
	}
	if !kafkaName.MatchString(c.Topic) || len(c.Topic) > 249 {
		bad("topic", "%q is not 1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-'", c.Topic)
	}
	oneOf(bad, "format", c.Format, "json")
	oneOf(bad, "start", c.Start, "earliest", "latest")
	oneOf(bad, "sasl.mechanism", c.SASL.Mechanism, "", "plain", "scram-sha-256", "scram-sha-512")
	switch {
	case c.SASL.Mechanism != "" && c.SASL.Username == "":
		bad("sasl.username", "is empty: %s needs one", c.SASL.Mechanism)
	case c.SASL.Mechanism == "" && c.SASL.Username+c.SASL.Password != "":
		bad("sasl.mechanism", "is empty, but a username or a password is given: say plain, scram-sha-256 or scram-sha-512")
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		bad("tls.cert_file", "goes together with tls.key_file: give both or neither")
	}
	if !c.TLS.Enabled && c.TLS != (TLSConfig{}) {
		bad("tls.enabled", "is false, but other TLS settings are given: set it to true or remove them")
	}
	return errors.Join(errs...)
}

type badFunc func(path, format string, args ...any)

func oneOf(bad badFunc, path, v string, allowed ...string) {
	names := make([]string, len(allowed))
	for i, a := range allowed {
		if v == a {
			return
		}
		if names[i] = a; a == "" {
			names[i] = `""`
		}
	}
	last := len(names) - 1
	want := names[last]
	if last > 0 {
		want = strings.Join(names[:last], ", ") + " or " + want
	}
	bad(path, "%q is not %s", v, want)
}

func within(bad badFunc, path string, v, lo, hi time.Duration) {
	if v < lo || v > hi {
		bad(path, "%s is outside %s to %s", v, lo, hi)
	}
}

// under puts a room's faults under the room's path.
func under(path string, err error) error {
	var errs []error
	for _, e := range flatten(err) {
		errs = append(errs, fmt.Errorf("%s.%w", path, e))
	}
	return errors.Join(errs...)
}

// flatten returns the errors that were joined into err.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, flatten(e)...)
	}
	return errs
}
