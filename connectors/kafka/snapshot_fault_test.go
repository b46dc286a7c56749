package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Wherever a Save ends, what was saved before is loaded, and the next Save works.
func TestSharedSurvivesDeathInSave(t *testing.T) {
	c, cfg, cl := fakeCluster(t)
	s := openShared(t, cfg)
	at := grown(t, s, cl)
	require.NoError(t, s.Save(t.Context(), at, write("1", "2")))
	grown(t, s, cl)

	deaths := 0
	died := func(name string, save func(s *Shared, at map[int32]int64) error) {
		deaths++
		dying := openShared(t, cfg)
		require.Error(t, save(dying, grown(t, s, cl)), name)
		got, from := load(t, openShared(t, cfg))
		require.Equal(t, []string{"1", "2"}, got, name)
		require.Equal(t, at, from, name)
	}
	for n := range 4 {
		died(fmt.Sprintf("write fails after %d parts", n), func(s *Shared, at map[int32]int64) error {
			return s.Save(t.Context(), at, func(emit func([]byte) error) error {
				_ = write([]string{"x", "y", "z"}[:min(n, 3)]...)(emit)
				return errors.New("no more")
			})
		})
		died(fmt.Sprintf("stopped after %d parts", n), func(s *Shared, at map[int32]int64) error {
			ctx, cancel := context.WithCancel(t.Context())
			return s.Save(ctx, at, func(emit func([]byte) error) error {
				defer cancel()
				return write([]string{"x", "y", "z"}[:min(n, 3)]...)(emit)
			})
		})
		// Dead between the last part and the manifest, with n parts there.
		died(fmt.Sprintf("killed with %d parts stored", n), func(s *Shared, _ map[int32]int64) error {
			w, err := s.newWriter(t.Context())
			require.NoError(t, err)
			defer w.cl.Close()
			for i := range n {
				require.NoError(t, w.emit(fmt.Append(nil, i)))
			}
			require.NoError(t, w.flush())
			return errors.New("killed")
		})
	}
	died("a part is too large", func(s *Shared, at map[int32]int64) error {
		return s.Save(t.Context(), at, write("x", strings.Repeat("y", mostPart+1)))
	})
	died("a part was refused", func(s *Shared, at map[int32]int64) error {
		c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
			return refused(req.(*kmsg.ProduceRequest)), nil, true
		})
		return s.Save(t.Context(), at, write("x", "y"))
	})
	require.Equal(t, map[string]int{"manifest": 1, "part": 2}, wholeRecords(t, s), "%d deaths later", deaths)

	last := grown(t, s, cl)
	require.NoError(t, s.Save(t.Context(), last, write("3")))
	got, from := load(t, openShared(t, cfg))
	require.Equal(t, []string{"3"}, got)
	require.Equal(t, last, from)
}

// refused answers a produce request as a broker does to one without the right.
func refused(req *kmsg.ProduceRequest) *kmsg.ProduceResponse {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, rt := range req.Topics {
		t := kmsg.NewProduceResponseTopic()
		t.Topic, t.TopicID = rt.Topic, rt.TopicID
		for _, rp := range rt.Partitions {
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition, p.ErrorCode = rp.Partition, kerr.TopicAuthorizationFailed.Code
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}

// wholeRecords counts the records of generations that count.
func wholeRecords(t *testing.T, s *Shared) map[string]int {
	t.Helper()
	require.NoError(t, s.snaps.scan(t.Context()))
	n := map[string]int{}
	for _, g := range s.snaps.complete() {
		n["manifest"]++
		n["part"] += g.Parts
	}
	return n
}

// A part that is missing or is not what was written makes its snapshot none; the one
// before is loaded, and the log has all that came since.
func TestSharedFallsBackToTheSnapshotBefore(t *testing.T) {
	for name, spoil := range map[string][]byte{"missing": nil, "other": []byte("z")} {
		t.Run(name, func(t *testing.T) {
			cfg, cl := imitation(t)
			s := openShared(t, cfg)
			first := grown(t, s, cl)
			require.NoError(t, s.Save(t.Context(), first, write("1")))
			require.NoError(t, s.Save(t.Context(), grown(t, s, cl), write("2", "3")))
			id := s.snaps.complete()[0].id
			require.NoError(t, cl.ProduceSync(t.Context(), &kgo.Record{Topic: "app.population", Key: partName(id, 1), Value: spoil}).FirstErr())
			for _, reader := range []*Shared{s, openShared(t, cfg)} {
				got, at := load(t, reader)
				require.Equal(t, []string{"1"}, got)
				require.Equal(t, first, at)
				require.Len(t, caughtUp(t, reader, at)[0], 10)
			}
			require.NoError(t, s.Save(t.Context(), grown(t, s, cl), write("4")))
			require.Equal(t, map[string]int{"manifest": 2, "part": 2}, recordsOf(t, s))
			require.Equal(t, int64(10), starts(t, s)[0])
		})
	}
}

// A log that begins after what the snapshots have read, or ends before, is refused
// with what is missing and what to do.
func TestSharedRefusesGaps(t *testing.T) {
	remove := func(t *testing.T, s *Shared, to int64) {
		offs := kadm.Offsets{}
		offs.AddOffset("app.pairs", 0, to, -1)
		answers, err := s.adm.DeleteRecords(t.Context(), offs)
		require.NoError(t, err)
		require.NoError(t, answers["app.pairs"][0].Err)
	}
	refusal := func(t *testing.T, cfg *Config, says string) {
		_, err := openShared(t, cfg).Load(t.Context(), func([]byte) error { return errors.New("must not be called") })
		require.ErrorIs(t, err, pipeline.ErrFatal)
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, "dangol rebuild")
	}
	t.Run("after the snapshot", func(t *testing.T) {
		cfg, cl := imitation(t)
		s := openShared(t, cfg)
		require.NoError(t, s.Save(t.Context(), grown(t, s, cl), write("1")))
		grown(t, s, cl)
		remove(t, s, 10)
		load(t, s)
		remove(t, s, 13)
		refusal(t, cfg, "partition 0 begins at offset 13")
	})
	t.Run("without a snapshot", func(t *testing.T) {
		cfg, cl := imitation(t)
		s := openShared(t, cfg)
		grown(t, s, cl)
		remove(t, s, 3)
		refusal(t, cfg, "partition 0 begins at offset 3, and no whole snapshot")
	})
	t.Run("made anew", func(t *testing.T) {
		cfg, cl := imitation(t)
		s := openShared(t, cfg)
		require.NoError(t, s.Save(t.Context(), grown(t, s, cl), write("1")))
		_, err := s.adm.DeleteTopics(t.Context(), "app.pairs")
		require.NoError(t, err)
		refusal(t, cfg, "deleted and made anew since the snapshot")
	})
	t.Run("shorter", func(t *testing.T) {
		cfg, cl := imitation(t)
		s := openShared(t, cfg)
		at := grown(t, s, cl)
		at[0]++
		require.NoError(t, s.Save(t.Context(), at, write("1")))
		refusal(t, cfg, "partition 0 ends at offset 10")
	})
}

// Who may not delete records of the log is told so once; the snapshots are saved.
func TestSharedWithoutTheRightToTrim(t *testing.T) {
	c, cfg, cl := fakeCluster(t)
	var log bytes.Buffer
	s, err := OpenShared(t.Context(), "app", cfg, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	defer s.Close()
	c.ControlKey(int16(kmsg.DeleteRecords), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.DeleteRecordsResponse)
		for _, rt := range req.(*kmsg.DeleteRecordsRequest).Topics {
			st := kmsg.DeleteRecordsResponseTopic{Topic: rt.Topic}
			for _, rp := range rt.Partitions {
				st.Partitions = append(st.Partitions, kmsg.DeleteRecordsResponseTopicPartition{Partition: rp.Partition, ErrorCode: kerr.TopicAuthorizationFailed.Code})
			}
			resp.Topics = append(resp.Topics, st)
		}
		return resp, nil, true
	})
	for i := range 4 {
		require.NoError(t, s.Save(t.Context(), grown(t, s, cl), write(fmt.Sprint(i))))
	}
	require.Equal(t, 1, strings.Count(log.String(), "level=WARN"), log.String())
	require.Contains(t, log.String(), "allow the operation Delete")
	require.Equal(t, int64(0), starts(t, s)[0])
	got, _ := load(t, s)
	require.Equal(t, []string{"3"}, got)
}

// What others write to the topic of snapshots does no harm, unless it passes for a
// manifest: that of a newer release must not be overlooked.
func TestSharedAmongStrangers(t *testing.T) {
	cfg, cl := cluster(t)
	s := openShared(t, cfg)
	at := grown(t, s, cl)
	require.NoError(t, s.Save(t.Context(), at, write("1")))
	put := func(key string, value []byte) {
		r := &kgo.Record{Topic: "app.population", Key: []byte(key), Value: value}
		require.NoError(t, cl.ProduceSync(t.Context(), r).FirstErr())
	}
	put("note", []byte("x"))
	put("part/x/y", []byte("x"))
	put("part/x/-1", []byte("x"))
	got, _ := load(t, openShared(t, cfg))
	require.Equal(t, []string{"1"}, got)
	put("manifest/future", []byte(`{"version":2}`))
	_, err := openShared(t, cfg).Load(t.Context(), nil)
	require.ErrorIs(t, err, pipeline.ErrFatal)
	require.ErrorContains(t, err, "key manifest/future must be given a tombstone")
	put("manifest/future", nil)
	got, _ = load(t, openShared(t, cfg))
	require.Equal(t, []string{"1"}, got)
}
