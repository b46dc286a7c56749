package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// pretender writes a program that answers every backtest with a report, or, as
// it does without one, with an error.
func pretender(t *testing.T, report string) string {
	t.Helper()
	script := "#!/bin/sh\necho 'error: the file holds no orders' >&2\nexit 1\n"
	if report != "" {
		script = "#!/bin/sh\nwhile [ \"$1\" != --json ]; do shift; done\ncat >\"$2\" <<'END'\n" + report + "\nEND\n"
	}
	path := filepath.Join(t.TempDir(), "dangol")
	require.NoError(t, os.WriteFile(path, []byte(script), 0o755))
	return path
}

const learnedReport = `{"models": {"churn": {"answered": "learned"}}, "churn": [
	{"name": "dangol", "auc": 0.81, "log_loss": 0.31},
	{"name": "recency only", "auc": 0.75, "log_loss": null},
	{"name": "MBG/NBD", "auc": 0.8, "log_loss": 0.325}]}`

const rhythmReport = `{"models": {"churn": {"answered": "rhythm"}}, "churn": [
	{"name": "dangol", "auc": 0.82, "log_loss": 0.305},
	{"name": "recency only", "auc": 0.75, "log_loss": null},
	{"name": "MBG/NBD", "auc": 0.8, "log_loss": 0.325}]}`

func TestTable(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), []string{
		"--bin", pretender(t, learnedReport), "--laws", "club,mbg", "--seeds", "2", "--days", "100", "--buyers", "20", "--dir", dir,
	}, &out, io.Discard))
	require.Equal(t, `Shops: 4, 2 of each law; 100 days before the cut, 90 after it; about 20 customers up to the cut.

                      AUC                         log-loss
law          learned    dangol  MBG/NBD  recency    dangol  MBG/NBD  recency
mbg           2 of 2    0.8100   0.8000   0.7500    0.3100   0.3250        –
club          2 of 2    0.8100   0.8000   0.7500    0.3100   0.3250        –
all           4 of 4    0.8100   0.8000   0.7500    0.3100   0.3250        –

Differences shop by shop, with their standard errors over shops and over laws. A log-loss below 0 and
an AUC above 0 are for dangol; better, worse, same: shops by log-loss.

against        log-loss   ± shops    ± laws        AUC   ± shops    ± laws  better  worse   same
MBG/NBD        −0.01500   0.00000   0.00000   +0.01000   0.00000   0.00000       4      0      0
recency only          –         –         –   +0.06000   0.00000   0.00000       0      0      0
`, out.String())
	kept, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, kept, 8, "events and a report a shop: %v", kept)
}

func TestTableAgainst(t *testing.T) {
	c := &config{against: "old/dangol", seeds: 1, days: 100, buyers: 20}
	answer := func(report string) verdict {
		v, err := read([]byte(report))
		require.NoError(t, err)
		return v
	}
	learned, rhythm := answer(learnedReport), answer(rhythmReport)
	require.Equal(t, `Shops: 3, 1 of each law; 100 days before the cut, 90 after it; about 20 customers up to the cut.

                      AUC                         log-loss
law          learned    dangol  MBG/NBD  recency    dangol  MBG/NBD  recency
mbg           1 of 1    0.8100   0.8000   0.7500    0.3100   0.3250        –
club          0 of 1    0.8200   0.8000   0.7500    0.3050   0.3250        –
rich          0 of 1    0.8200   0.8000   0.7500    0.3050   0.3250        –
all           1 of 3    0.8167   0.8000   0.7500    0.3067   0.3250        –

By shop, against old/dangol

shop          answered the other  log-loss difference       AUC difference
mbg-0         learned  rhythm       0.3100   +0.00500    0.8100   −0.01000
club-0        rhythm   learned      0.3050   −0.00500    0.8200   +0.01000
rich-0        rhythm   rhythm       0.3050    0.00000    0.8200    0.00000

Differences shop by shop, with their standard errors over shops and over laws. A log-loss below 0 and
an AUC above 0 are for dangol; better, worse, same: shops by log-loss.

against        log-loss   ± shops    ± laws        AUC   ± shops    ± laws  better  worse   same
MBG/NBD        −0.01833   0.00167   0.00167   +0.01667   0.00333   0.00333       3      0      0
recency only          –         –         –   +0.06667   0.00333   0.00333       0      0      0
the other       0.00000   0.00289   0.00289    0.00000   0.00577   0.00577       1      1      1
`, table(c, []trial{
		{law: "mbg", verdict: learned, against: &rhythm},
		{law: "club", verdict: rhythm, against: &learned},
		{law: "rich", verdict: rhythm, against: &rhythm},
	}))
}

func TestErrorsSayWhatToDo(t *testing.T) {
	missing, failing, other := filepath.Join(t.TempDir(), "dangol"), pretender(t, ""), pretender(t, `{"churn": []}`)
	good := pretender(t, learnedReport)
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--bin", missing}, []string{"--bin: ", missing, "no such file", "make build"}},
		{[]string{"--bin", good, "--against", missing}, []string{"--against: ", missing, "no such file"}},
		{[]string{"--bin", failing}, []string{failing + " backtest --input ", "mbg-0.jsonl", "exit status 1", "error: the file holds no orders"}},
		{[]string{"--bin", good, "--against", failing}, []string{"error: the file holds no orders"}},
		{[]string{"--bin", other}, []string{"mbg-0.json: ", `no churn forecast named "dangol"`}},
		{[]string{"--bin", good, "--laws", "mbg,gbm"}, []string{`no law "gbm"`, "sleepers"}},
		{[]string{"--bin", good, "--seeds", "0"}, []string{"--seeds 0: want 1 or more"}},
		{[]string{"--bin", good, "club"}, []string{`"club": want flags only`}},
	} {
		err := run(context.Background(), append([]string{"--days", "100", "--buyers", "20"}, c.args...), io.Discard, io.Discard)
		require.Error(t, err, c.args)
		for _, want := range c.want {
			require.ErrorContains(t, err, want)
		}
	}
}
