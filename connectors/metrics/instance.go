package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// The figures of what an instance has beside its open partitions.
var (
	restoreDone = prometheus.NewDesc("dangol_pipeline_restore_done_ratio",
		"Share of the changelog that the restore of a partition has read. It is there while the restore goes on.", []string{"partition"}, nil)
	restoreRecords = prometheus.NewDesc("dangol_pipeline_restore_records",
		"Changelog records that the restore of a partition has read.", []string{"partition"}, nil)
	restoreLeft = prometheus.NewDesc("dangol_pipeline_restore_left_seconds",
		"Time that the restore of a partition takes yet, at its pace so far.", []string{"partition"}, nil)
	standbyClock = prometheus.NewDesc("dangol_pipeline_standby_clock_timestamp_seconds",
		"Clock of the copy of another instance's partition. Seconds since 1970.", []string{"partition"}, nil)
	standbyNext = prometheus.NewDesc("dangol_pipeline_standby_next_offset",
		"Offset of the next input record, as far as the copy of another instance's partition knows.", []string{"partition"}, nil)
)

// sharedScalars are about what all instances share.
var sharedScalars = []scalar{
	{"dangol_pipeline_shared_load_seconds", "Time that it took at the start to learn what all instances share.", gauge,
		func(s *pipeline.Stats) float64 { return s.JoinSeconds }},
	{"dangol_pipeline_snapshots_total", "Snapshots that this instance made of what all share.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.Snapshots) }},
	{"dangol_pipeline_snapshot_failures_total", "Snapshots that could not be written; they are made again.", counter,
		func(s *pipeline.Stats) float64 { return float64(s.SnapshotsFailed) }},
	{"dangol_pipeline_snapshot_bytes", "Size of the latest snapshot that this instance made.", gauge,
		func(s *pipeline.Stats) float64 { return float64(s.SnapshotBytes) }},
}

func describeInstance(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{restoreDone, restoreRecords, restoreLeft, standbyNext, standbyClock} {
		ch <- d
	}
}

func collectInstance(ch chan<- prometheus.Metric, st *pipeline.Stats) {
	for _, r := range st.Restoring {
		label := strconv.FormatInt(int64(r.Partition), 10)
		ch <- prometheus.MustNewConstMetric(restoreDone, gauge, r.Done, label)
		ch <- prometheus.MustNewConstMetric(restoreRecords, gauge, float64(r.Records), label)
		ch <- prometheus.MustNewConstMetric(restoreLeft, gauge, r.SecondsLeft, label)
	}
	for _, s := range st.Standby {
		label := strconv.FormatInt(int64(s.Partition), 10)
		ch <- prometheus.MustNewConstMetric(standbyNext, gauge, float64(s.NextOffset), label)
		ch <- prometheus.MustNewConstMetric(standbyClock, gauge, float64(s.Clock)/1000, label)
	}
}
