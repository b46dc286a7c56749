package api

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestDefaultConfigIsValid(t *testing.T) {
	cfg := DefaultConfig()
	require.NoError(t, cfg.Validate())
	require.Equal(t, "127.0.0.1:8080", cfg.Listen, "loopback unless told otherwise")
}

func TestConfigFromYAML(t *testing.T) {
	cfg := DefaultConfig()
	require.NoError(t, yaml.Unmarshal([]byte("listen: ':0'\nquery_timeout: 3s\nmax_scans: 1\n"), &cfg))
	require.NoError(t, cfg.Validate())
	require.Equal(t, ":0", cfg.Listen)
	require.Equal(t, 3*time.Second, cfg.QueryTimeout)
	require.Equal(t, DefaultConfig().IdleTimeout, cfg.IdleTimeout)
}

func TestValidateJoinsAllFaults(t *testing.T) {
	cfg := Config{Listen: "localhost", ReadTimeout: time.Hour, QueryTimeout: time.Second, WriteTimeout: time.Second, MaxBodyBytes: 1 << 30}
	require.EqualError(t, cfg.Validate(), `listen: "localhost" is not "host:port", such as "127.0.0.1:8080"
forward_timeout: 0s is outside 1ms to 10m0s
read_header_timeout: 0s is outside 1ms to 10m0s
read_timeout: 1h0m0s is outside 1ms to 10m0s
idle_timeout: 0s is outside 1ms to 10m0s
shutdown_timeout: 0s is outside 1ms to 10m0s
query_timeout: 1s is not below write_timeout, 1s: a slow query's answer could not be written
max_header_bytes: 0 is outside 1024 to 1048576
max_body_bytes: 1073741824 is outside 1024 to 67108864
max_scans: 0 is outside 1 to 64`)

	for listen, fault := range map[string]string{
		"127.0.0.1:65536": `listen: port "65536" is outside 0 to 65535`,
		"127.0.0.1:http":  `listen: port "http" is outside 0 to 65535`,
		"":                `listen: "" is not "host:port", such as "127.0.0.1:8080"`,
	} {
		cfg = DefaultConfig()
		cfg.Listen = listen
		require.EqualError(t, cfg.Validate(), fault)
	}
	for advertise, fault := range map[string]string{
		"10.0.0.7":         `advertise: "10.0.0.7" is not "host:port" of this machine as others see it, such as "10.0.0.7:8080"`,
		":8080":            `advertise: ":8080" is not "host:port" of this machine as others see it, such as "10.0.0.7:8080"`,
		"0.0.0.0:8080":     `advertise: "0.0.0.0:8080" is not "host:port" of this machine as others see it, such as "10.0.0.7:8080"`,
		"[::]:8080":        `advertise: "[::]:8080" is not "host:port" of this machine as others see it, such as "10.0.0.7:8080"`,
		"10.0.0.7:0":       `advertise: port "0" is outside 1 to 65535`,
		"dangol-0:http":    `advertise: port "http" is outside 1 to 65535`,
		"dangol-0:8080":    "",
		"[2001:db8::7]:80": "",
	} {
		cfg := DefaultConfig()
		cfg.Advertise = advertise
		if err := cfg.Validate(); fault != "" {
			require.EqualError(t, err, fault)
		} else {
			require.NoError(t, err)
		}
	}
	_, err := New(cfg, Parts{Query: &fakeQuery{}, Encoder: fakeEncoder{}})
	require.Error(t, err)
	_, err = New(DefaultConfig(), Parts{})
	require.EqualError(t, err, "http: a server needs a Query and an Encoder")
}
