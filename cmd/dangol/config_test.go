package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the files that are generated")

const examplePath = "../../deploy/dangol.example.yaml"

// The committed example is the one that the definitions give.
func TestExampleIsCurrent(t *testing.T) {
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(examplePath), 0o755))
		require.NoError(t, os.WriteFile(examplePath, []byte(exampleConfig()), 0o644))
	}
	committed, err := os.ReadFile(examplePath)
	require.NoError(t, err)
	require.Equal(t, exampleConfig(), string(committed), "go test ./cmd/dangol -run Example -update rewrites it")
}

// The example says nothing but the defaults, and is without fault.
func TestExampleIsTheDefault(t *testing.T) {
	c, err := loadConfig(examplePath, nil)
	require.NoError(t, err)
	want := DefaultConfig()
	require.Empty(t, diff(reflect.ValueOf(want), reflect.ValueOf(*c), ""))
}

// diff lists the fields that differ; an empty slice or map is as good as none.
func diff(a, b reflect.Value, path string) []string {
	if a.Kind() == reflect.Struct {
		var out []string
		for _, f := range fields(a.Type()) {
			out = append(out, diff(a.FieldByIndex(f.index), b.FieldByIndex(f.index), join(path, f.name))...)
		}
		return out
	}
	switch a.Kind() {
	case reflect.Slice, reflect.Map:
		if a.Len() == 0 && b.Len() == 0 {
			return nil
		}
	}
	if !reflect.DeepEqual(a.Interface(), b.Interface()) {
		return []string{path}
	}
	return nil
}

// Every key can be set, and says what it is.
func TestEveryKeyIsDocumented(t *testing.T) {
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		seen := map[string]bool{}
		for _, f := range fields(typ) {
			at := join(path, f.name)
			require.False(t, seen[f.name], "%s stands twice", at)
			seen[f.name] = true
			if f.typ.Kind() == reflect.Struct {
				walk(f.typ, at)
				continue
			}
			require.NotEmpty(t, f.doc, at)
		}
	}
	walk(reflect.TypeFor[Config](), "")
}

func TestGoodConfigs(t *testing.T) {
	t.Setenv("KAFKA_PASSWORD", "0123")
	t.Setenv("MAX_SCANS", "5")
	files, err := filepath.Glob("testdata/config/*.good.yml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, err := loadConfig(file, nil)
			require.NoError(t, err)
		})
	}
	c, err := loadConfig("testdata/config/full.good.yml", nil)
	require.NoError(t, err)
	require.Equal(t, "shop", c.AppID)
	require.Equal(t, []string{"kafka-1:9093", "kafka-2:9093"}, c.Input.Kafka.Brokers)
	require.Equal(t, "0123", c.Input.Kafka.SASL.Password, "a number from the environment stays the text that it is")
	require.Equal(t, "shop.repartition", c.source().Topic)
	require.Equal(t, "earliest", c.source().Start, "of what the stage passed on, nothing is left out")
	require.Equal(t, 5, c.HTTP.MaxScans)
	require.Equal(t, 36*time.Hour, c.Ledger.Lateness)
	require.Equal(t, map[string]string{"USD": "0.92"}, c.Decode.Currency.Rates)
	require.Equal(t, "user : ${NOT_A_VARIABLE}", c.Input.Kafka.SASL.Username)
	require.Equal(t, []float64{1, 2, 3, 4}, c.Score.RFM.Fixed.Frequency)
	require.Equal(t, "Europe/Berlin", c.location().String())
	require.Equal(t, DefaultConfig().Loop, c.Loop, "what is not said is the default")
}

// Each bad file begins with the faults that it must give, all of them and in
// order, as comments.
func TestBadConfigs(t *testing.T) {
	files, err := filepath.Glob("testdata/config/*.bad.yml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var want []string
			for line := range strings.Lines(string(text)) {
				if rest, ok := strings.CutPrefix(line, "#: "); ok {
					want = append(want, strings.TrimSpace(rest))
				}
			}
			_, err = loadConfig(file, nil)
			var bad *configError
			require.True(t, errors.As(err, &bad), "%v", err)
			got := strings.Split(strings.ReplaceAll(err.Error(), file, "F"), "\n")
			require.Equal(t, strings.Join(want, "\n"), strings.Join(got, "\n"))
		})
	}
}

func TestSets(t *testing.T) {
	c, err := loadConfig("", []string{
		"input.brokers=a:1,b:2", "input.topic=orders", "rfm.window_days=7", "lateness=90m", "fixed.recency=1,2,3,4",
		"decode.currency.base=EUR", "decode.currency.rates.USD=0.92", "band_limits=[0.3, 0.6]",
		"input.tls.ca_file=", "time_zone=Asia/Seoul",
	})
	require.NoError(t, err)
	require.Equal(t, []string{"a:1", "b:2"}, c.Input.Kafka.Brokers)
	require.Equal(t, "orders", c.Input.Kafka.Topic)
	require.Equal(t, 7, c.Score.RFM.WindowDays)
	require.Equal(t, []float64{1, 2, 3, 4}, c.Score.RFM.Fixed.Recency, "the end of a path will do")
	require.Equal(t, 90*time.Minute, c.Ledger.Lateness)
	require.Equal(t, "0.92", c.Decode.Currency.Rates["USD"])
	require.Equal(t, [2]float64{.3, .6}, c.Score.BandLimits)
	require.Empty(t, c.Input.Kafka.TLS.CAFile)

	c, err = loadConfig("testdata/config/short.good.yml", []string{"input.topic=last"})
	require.NoError(t, err)
	require.Equal(t, "last", c.Input.Kafka.Topic, "over the file's")

	_, err = loadConfig("", []string{
		"nothing", "=1", "input.topik=x", "max_items=many", "lat=1h", "commit_interval=7", "late=[", "enabled=1",
		"input.brokers.first=a:1", "app_id.name=x", "listen=0.0.0.0:1", "rfm.fixed.recency=a,1",
	})
	require.EqualError(t, err, strings.Join([]string{
		`--set "nothing": want key=value, such as --set input.topic=events`,
		`--set "=1": want key=value, such as --set input.topic=events`,
		`late: --set: "[" is not a YAML value`,
		`input.topik: unknown key; did you mean input.topic?`,
		`input.tls.enabled: "1" is not true or false`,
		`input.brokers: want a list, such as [a, b], not a section`,
		`decode.max_items: "many" is not a whole number`,
		`lat: unknown key; did you mean late?`,
		`commit_interval: "7" is not a duration with its unit, such as 100ms, 5m or 24h`,
		`app_id: want a single value, not a section`,
		`rfm.fixed.recency[0]: "a" is not a number`,
	}, "\n"))
}

func TestMissingFile(t *testing.T) {
	_, err := loadConfig("testdata/config/none.yml", nil)
	require.ErrorContains(t, err, "configuration: open testdata/config/none.yml")
}

func TestCheckCommand(t *testing.T) {
	var out strings.Builder
	require.NoError(t, check(&out, examplePath, nil))
	require.Equal(t, `ok
  input    topic events (json) at 127.0.0.1:9092, no encryption, from the earliest record
  output   topics dangol.changes, dangol.scores and others of that prefix; consumer group dangol
  time     days in UTC, clock live, events up to 24h late (then apply), at most 5m ahead
  commits  every 100ms, up to 50000 records a transaction
  state    in dangol-state, up to 512 MiB of customers in memory
  api      http://127.0.0.1:8080
`, out.String())

	out.Reset()
	require.NoError(t, check(&out, examplePath, []string{"input.repartition=true"}))
	require.Contains(t, out.String(), "through topic dangol.repartition, keyed by customer; consumer group dangol-repartition\n  output ")

	out.Reset()
	require.ErrorIs(t, check(&out, "", []string{"late=never", "clock=sundial"}), errReported)
	require.Equal(t, "clock: \"sundial\" is not live or event\nlate: \"never\" is not apply or reject\n2 faults\n", out.String())
}

func TestEditDistance(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"topic", "topic", 0}, {"topik", "topic", 1}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}} {
		require.Equal(t, tc.want, editDistance(tc.a, tc.b), "%s %s", tc.a, tc.b)
		require.Equal(t, tc.want, editDistance(tc.b, tc.a), "%s %s", tc.b, tc.a)
	}
}

func TestShortDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 100 * time.Millisecond: "100ms", 5 * time.Minute: "5m", 24 * time.Hour: "24h", 90 * time.Minute: "1h30m",
		61 * time.Second: "1m1s", 10 * time.Second: "10s", time.Hour + time.Second: "1h0m1s",
	} {
		require.Equal(t, want, shortDuration(d))
		back, err := time.ParseDuration(want)
		require.NoError(t, err)
		require.Equal(t, d, back)
	}
}
