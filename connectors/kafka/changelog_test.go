package kafka

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// The reader gives whole committed transactions, leaves out aborted ones, and
// ends also when the log's tail is nothing but markers or aborted records.
func TestChangelogReadsWholeTransactions(t *testing.T) {
	cfg, cl := cluster(t)
	feed(t, cl, 1, 1)
	s := open(t, cfg, keeper(fromCommitted))
	write := func(commit bool, is ...int) {
		require.NoError(t, s.Begin())
		for _, i := range is {
			s.Produce([]pipeline.Output{logged(i, 1)})
		}
		require.NoError(t, s.gs.Client().Flush(t.Context()), "so that there is something to abort")
		ok, _, err := s.End(t.Context(), commit, map[int32]int64{1: 0})
		require.NoError(t, err)
		require.Equal(t, commit, ok)
	}
	require.NoError(t, s.Begin())
	poll(t, s, 1)
	_, _, err := s.End(t.Context(), false, nil)
	require.NoError(t, err)
	write(true, 1, 2)
	write(false, 3)
	write(true, 4)
	write(false, 5, 6)
	s.Close()

	base, err := cfg.Options()
	require.NoError(t, err)
	aux, err := kgo.NewClient(append(base, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	require.NoError(t, err)
	defer aux.Close()
	r := &changelog{topic: "app.changelog", aux: aux, opts: base, log: slog.New(slog.DiscardHandler)}
	read := func(from int64) (got [][]string, end int64) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		end, err := r.Read(ctx, 1, from, func(recs []pipeline.LogRecord, _ int64) error {
			var vs []string
			for _, rec := range recs {
				vs = append(vs, string(rec.Value))
			}
			got = append(got, vs)
			return nil
		})
		require.NoError(t, err)
		return got, end
	}
	got, end := read(0)
	require.Equal(t, [][]string{{"v1", "v2"}, {"v4"}}, got)
	again, end2 := read(end)
	require.Empty(t, again)
	require.Equal(t, end+1, end2, "a barrier each time")
	_, err = r.Read(t.Context(), 1, end2+10, nil)
	require.ErrorIs(t, err, pipeline.ErrFatal)
	require.ErrorContains(t, err, "move the state directory away")
}

// Who follows gets each transaction when it is committed, whole, also from a position
// that the log has lost; a position beyond the log's end is of another log.
func TestChangelogIsFollowed(t *testing.T) {
	cfg, cl := cluster(t)
	feed(t, cl, 1, 1)
	s := open(t, cfg, keeper(fromCommitted))
	defer s.Close()
	require.NoError(t, s.Begin())
	poll(t, s, 1)
	write := func(commit bool, is ...int) {
		for _, i := range is {
			s.Produce([]pipeline.Output{logged(i, 1)})
		}
		require.NoError(t, s.gs.Client().Flush(t.Context()))
		ok, _, err := s.End(t.Context(), commit, map[int32]int64{1: 0})
		require.NoError(t, err)
		require.Equal(t, commit, ok)
		require.NoError(t, s.Begin())
	}
	write(true, 1)
	write(true, 2)
	adm := kadm.NewClient(cl)
	both := "compact,delete" // of what is compacted alone, a broker deletes nothing on demand
	altered, err := adm.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "cleanup.policy", Value: &both}}, "app.changelog")
	require.NoError(t, err)
	require.NoError(t, altered[0].Err)
	_, err = adm.DeleteRecords(t.Context(), kadm.Offsets{"app.changelog": {1: {Topic: "app.changelog", Partition: 1, At: 2}}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan []string, 100)
	done := make(chan error)
	go func() {
		done <- s.changelog.Follow(ctx, 1, 0, func(recs []pipeline.LogRecord) error {
			var vs []string
			for _, rec := range recs {
				vs = append(vs, string(rec.Value))
			}
			got <- vs
			return nil
		})
	}()
	require.Equal(t, []string{"v2"}, <-got)
	write(false, 3)
	write(true, 4, 5)
	require.Equal(t, []string{"v4", "v5"}, <-got)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.Empty(t, got)
	require.ErrorIs(t, s.changelog.Follow(t.Context(), 1, 1000, nil), pipeline.ErrFatal)
}

// A transaction that is open where the log ends is waited for.
func TestChangelogWaitsForOpenTransactions(t *testing.T) {
	cfg, cl := cluster(t)
	feed(t, cl, 1, 1)
	s := open(t, cfg, keeper(fromCommitted))
	defer s.Close()
	require.NoError(t, s.Begin())
	next := poll(t, s, 1)
	s.Produce([]pipeline.Output{logged(1, 1)})
	require.NoError(t, s.gs.Client().Flush(t.Context()))
	got := make(chan string, 10)
	done := make(chan error)
	go func() {
		_, err := s.changelog.Read(t.Context(), 1, 0, func(recs []pipeline.LogRecord, _ int64) error {
			got <- string(recs[0].Value)
			return nil
		})
		done <- err
	}()
	adm := kadm.NewClient(cl)
	for { // until its barrier stands
		ends, err := adm.ListEndOffsets(t.Context(), "app.changelog")
		require.NoError(t, err)
		if o, _ := ends.Lookup("app.changelog", 1); o.Offset == 2 {
			break
		}
	}
	commit(t, s, next)
	require.Equal(t, "v1", <-got)
	require.NoError(t, <-done)
}
