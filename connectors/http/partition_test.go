package api

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// fakeAuditor has partition 3, of which it remembers what was asked.
type fakeAuditor struct{ asked string }

func (a *fakeAuditor) Stats() pipeline.Stats {
	return pipeline.Stats{
		Partitions: []pipeline.PartitionStats{{Partition: 3, NextOffset: 70, Lag: 2, Clock: 1_700_000_000_000}},
		Restoring:  []pipeline.RestoreStats{{Partition: 4, Records: 12, Done: .25, SecondsLeft: 3}},
		Standby:    []pipeline.StandbyStats{{Partition: 5, NextOffset: 9}},
	}
}

func (a *fakeAuditor) Digest(_ context.Context, p int32, slice, slices int, entries bool) (*pipeline.Digest, error) {
	a.asked = fmt.Sprint(p, slice, slices, entries)
	if p != 3 {
		return nil, pipeline.ErrNotFound
	}
	d := &pipeline.Digest{Position: pipeline.Position{Next: 70, MaxTime: 5, Clock: 6, Changelog: 99}, Count: 1, Sum: 0xabc}
	if entries {
		d.Entries = []pipeline.EntryHead{{Key: []byte("cA"), Hash: 0xabc}}
	}
	return d, nil
}

func TestPartitions(t *testing.T) {
	a := &fakeAuditor{}
	r := newRigOf(t, nil, func(p *Parts) { p.Auditor = a })
	ask := func(path string) (int, string) {
		req, err := http.NewRequest(http.MethodGet, path, http.NoBody)
		require.NoError(t, err)
		code, body, _ := r.do(req)
		return code, body
	}
	code, body := ask("/v1/partitions")
	require.Equal(t, http.StatusOK, code)
	require.JSONEq(t, `{"open":[{"partition":3,"next_offset":70,"lag":2,"clock":"2023-11-14T22:13:20.000Z"}],
		"restoring":[{"partition":4,"records":12,"done":0.25,"seconds_left":3}],"standby":[{"partition":5,"next_offset":9}]}`, body)

	code, body = ask("/v1/partitions/3/digest")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "3 0 1 false", a.asked)
	require.JSONEq(t, `{"partition":3,"next_offset":70,"newest_event":5,"clock":6,"changelog_offset":99,"keys":1,"sum":"0000000000000abc"}`, body)
	_, body = ask("/v1/partitions/3/digest?slices=8&slice=7&entries=true")
	require.Equal(t, "3 7 8 true", a.asked)
	require.Contains(t, body, `"entries":[{"key":"Y0E=","hash":"0000000000000abc"}]`)

	for path, want := range map[string]int{
		"/v1/partitions?x=1":                        http.StatusBadRequest,
		"/v1/partitions/4/digest":                   http.StatusNotFound,
		"/v1/partitions/-1/digest":                  http.StatusBadRequest,
		"/v1/partitions/x/digest":                   http.StatusBadRequest,
		"/v1/partitions/3/digest?slices=0":          http.StatusBadRequest,
		"/v1/partitions/3/digest?slices=4&slice=4":  http.StatusBadRequest,
		"/v1/partitions/3/digest?entries=perhaps":   http.StatusBadRequest,
		"/v1/partitions/99999999999/digest":         http.StatusBadRequest,
		"/v1/partitions/3/digest?slices=9999999999": http.StatusBadRequest,
	} {
		code, body := ask(path)
		require.Equal(t, want, code, "%s: %s", path, body)
	}

	bare := newRig(t, nil)
	req, err := http.NewRequest(http.MethodGet, "/v1/partitions", http.NoBody)
	require.NoError(t, err)
	code, _, _ = bare.do(req)
	require.Equal(t, http.StatusNotFound, code)
}
