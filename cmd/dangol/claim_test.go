package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// "check --connect" names what the brokers' settings do not bear, and ends with code
// 1 where "run" would refuse; "run" says the same in its log.
func TestCheckConnects(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "events"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	set := "input.brokers=[" + c.ListenAddrs()[0] + "]"
	out, _, err := run(t, "check", "--connect", "--set", set)
	require.NoError(t, err)
	require.Contains(t, out, "ok\n")
	require.Contains(t, out, "\nwarning: there is one broker: nothing is replicated")

	cfg, err := loadConfig("", []string{set})
	require.NoError(t, err)
	var log bytes.Buffer
	e := &engine{cfg: cfg, log: slog.New(slog.NewTextHandler(&log, nil)), foreign: true}
	require.NoError(t, e.claim(t.Context()))
	require.NoError(t, e.claim(t.Context()))
	require.Equal(t, 1, strings.Count(log.String(), "level=WARN"), "once: %s", &log)
	require.Contains(t, log.String(), "there is one broker")

	cl := client(t, c.ListenAddrs()[0])
	policy := "delete"
	_, err = kadm.NewClient(cl).CreateTopic(t.Context(), 2, 1, map[string]*string{"cleanup.policy": &policy}, "dangol.changelog")
	require.NoError(t, err)
	out, _, err = run(t, "check", "--connect", "--set", set)
	require.ErrorIs(t, err, errReported)
	require.Contains(t, out, "refused: topic dangol.changelog has cleanup.policy delete")
	e.foreign = true
	err = e.claim(t.Context())
	require.ErrorIs(t, err, pipeline.ErrFatal, "run ends")
	require.ErrorContains(t, err, "dangol.changelog has cleanup.policy delete")
}

// Brokers that cannot be asked are no reason to refuse: the session waits for them.
func TestClaimWithoutBrokers(t *testing.T) {
	cfg, err := loadConfig("", []string{"input.tls.enabled=true", "input.tls.ca_file=absent.pem"})
	require.NoError(t, err)
	var log bytes.Buffer
	e := &engine{cfg: cfg, log: slog.New(slog.NewTextHandler(&log, nil)), foreign: true}
	require.NoError(t, e.claim(t.Context()))
	require.True(t, e.foreign, "asked again")
	require.Contains(t, log.String(), "could not be checked")
	require.Contains(t, log.String(), "absent.pem")
}
