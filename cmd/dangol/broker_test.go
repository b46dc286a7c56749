package main

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The broker command says where it listens, has the engine's topics, and ends
// in order when it is told to, with its records kept.
func TestBrokerCommand(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // the second time it finds what the first one left
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		r, w := io.Pipe()
		root := newRootCommand()
		root.SetOut(w)
		root.SetArgs([]string{"broker", "--data", dir, "--listen", "127.0.0.1:0", "--partitions", "3", "--app", "shop"})
		ended := make(chan error, 1)
		go func() {
			err := root.ExecuteContext(ctx)
			w.CloseWithError(io.EOF)
			ended <- err
		}()
		line, err := bufio.NewReader(r).ReadString('\n')
		require.NoError(t, err, "ended: %v", line)
		addr, rest, ok := strings.Cut(strings.TrimPrefix(line, "broker at "), ",")
		require.True(t, ok)
		require.Equal(t, " records in "+dir+"\n", rest)

		client, err := kgo.NewClient(kgo.SeedBrokers(addr))
		require.NoError(t, err)
		topics, err := kadm.NewClient(client).ListTopics(ctx)
		require.NoError(t, err)
		client.Close()
		require.Equal(t, []string{"events", "shop.changelog", "shop.changes", "shop.dead-letters", "shop.models", "shop.scores"}, topics.Names())
		for name, d := range topics {
			require.Len(t, d.Partitions, 3, name)
		}
		cancel()
		require.NoError(t, <-ended)
	}
}

func TestBrokerFaults(t *testing.T) {
	_, _, err := run(t, "broker", "--listen", "0.0.0.0:9092")
	require.ErrorContains(t, err, "is not loopback")
	_, _, err = run(t, "broker", "extra")
	require.ErrorContains(t, err, "unknown command")
}
