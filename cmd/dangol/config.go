package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dangol-dev/dangol/connectors/decode"
	api "github.com/dangol-dev/dangol/connectors/http"
	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

// Config is all that an operator can set. Each room brings its own part; what
// is here by itself belongs to no room but to the way they are wired.
type Config struct {
	AppID      string              `yaml:"app_id" doc:"names the consumer group, the transactional ids and the prefix of the topics that are written"`
	TimeZone   string              `yaml:"time_zone" doc:"IANA time zone of the calendar days: orders of one day are one purchase occasion"`
	Input      InputConfig         `yaml:"input" doc:"where events come from"`
	Decode     decode.Config       `yaml:"decode" doc:"what a record may be, and how it is read"`
	Clock      string              `yaml:"clock" doc:"what moves time on when no event comes: live (the wall clock, once the input's end is reached) or event (event times alone)"`
	Ledger     ledger.Config       `yaml:",inline"`
	Late       string              `yaml:"late" doc:"events later than lateness: apply (count them, and apply them to the facts) or reject (dead letters)"`
	FutureSkew time.Duration       `yaml:"future_skew" doc:"how far ahead of the wall clock an event's time may be; beyond it, a dead letter"`
	Loop       pipeline.LoopConfig `yaml:",inline"`
	Score      score.Config        `yaml:",inline"`
	Basket     basket.Config       `yaml:"basket" doc:"which articles are bought together"`
	NextBest   nextbest.Config     `yaml:"next_best" doc:"what is offered, and on what evidence"`
	State      state.Config        `yaml:"state" doc:"what is kept on disk and in memory"`
	HTTP       api.Config          `yaml:"http" doc:"the API"`
}

// InputConfig says where events come from.
type InputConfig struct {
	Format string       `yaml:"format" doc:"wire format of the records: json (native events and Segment track calls)"`
	Kafka  kafka.Config `yaml:",inline"`
}

// DefaultConfig is the configuration of an empty file.
func DefaultConfig() Config {
	c := Config{
		AppID:      "dangol",
		TimeZone:   "UTC",
		Input:      InputConfig{Format: jsonFormat, Kafka: kafka.DefaultConfig()},
		Decode:     decode.DefaultConfig(),
		Clock:      pipeline.LiveClock,
		Ledger:     ledger.DefaultConfig(),
		Late:       pipeline.ApplyLate,
		FutureSkew: 5 * time.Minute,
		Loop:       pipeline.DefaultLoopConfig(),
		Score:      score.DefaultConfig(),
		Basket:     basket.DefaultConfig(),
		NextBest:   nextbest.DefaultConfig(),
		State:      state.DefaultConfig(),
		HTTP:       api.DefaultConfig(),
	}
	c.State.Dir = "dangol-state"
	return c
}

// location is the time zone; Validate has seen to it that there is one.
func (c *Config) location() *time.Location {
	l, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		panic(fmt.Sprintf("configuration was not validated: %v", err))
	}
	return l
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
	oneOf(bad, "input.format", c.Input.Format, jsonFormat)
	oneOf(bad, "clock", c.Clock, pipeline.LiveClock, pipeline.EventClock)
	oneOf(bad, "late", c.Late, pipeline.ApplyLate, pipeline.RejectLate)
	if c.FutureSkew < 0 || c.FutureSkew > 24*time.Hour {
		bad("future_skew", "%s is outside 0s to 24h", c.FutureSkew)
	}
	if t := c.Input.Kafka.Topic; t != "" && (!kafkaName.MatchString(t) || len(t) > 249) {
		bad("input.topic", "%q is not 1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-'", t)
	}
	if c.Input.Kafka.Topic == kafka.RepartitionTopic(c.AppID) {
		bad("input.topic", "%q is the topic between dangol's own stages: name the one that producers write to", c.Input.Kafka.Topic)
	}
	return errors.Join(append(errs,
		under("input", c.Input.Kafka.Validate()),
		under("decode", c.Decode.Validate()),
		c.Ledger.Validate(),
		c.Loop.Validate(),
		c.Score.Validate(),
		under("basket", c.Basket.Validate()),
		under("next_best", c.NextBest.Validate()),
		under("state", c.State.Validate()),
		under("http", c.HTTP.Validate()),
	)...)
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

// under puts a room's faults under the room's path.
func under(path string, err error) error {
	var errs []error
	for _, e := range flatten(err) {
		if !strings.HasPrefix(e.Error(), path+".") { // a room may name itself
			e = fmt.Errorf("%s.%w", path, e)
		}
		errs = append(errs, e)
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
