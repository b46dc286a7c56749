package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// inspected returns what inspect prints.
func inspected(t *testing.T, args ...string) string {
	t.Helper()
	cmd := newInspectCommand()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	require.NoError(t, cmd.ExecuteContext(t.Context()), "%v", args)
	return out.String()
}

const inspectedEvents = `{"id":"1","type":"order_completed","customer_id":"ann","time":"2026-01-02T10:00:00Z","order_id":"o1","amount":"19.80","discount":"2.00","channel":"app","items":[{"item_id":"A"},{"item_id":"B"}]}
{"id":"2","type":"order_completed","customer_id":"ann","time":"2026-02-03T10:00:00Z","order_id":"o2","amount":"9.90","items":[{"item_id":"A"}]}
{"id":"3","type":"order_refunded","customer_id":"ann","time":"2026-02-04T10:00:00Z","order_id":"o1","amount":"5.00"}
{"id":"4","type":"order_cancelled","customer_id":"ann","time":"2026-02-05T10:00:00Z","order_id":"o2"}
{"id":"5","type":"product_viewed","customer_id":"ann","time":"2026-02-06T10:00:00Z","items":[{"item_id":"C"}]}
{"id":"6","type":"product_added","customer_id":"ann","time":"2026-02-06T10:01:00Z","items":[{"item_id":"C"}]}
{"id":"7","type":"complaint_raised","customer_id":"ann","time":"2026-02-06T11:00:00Z"}
{"id":"8","type":"order_completed","customer_id":"bob","time":"2026-02-06T12:00:00Z","order_id":"o3","amount":"7.00"}
{"id":"9","type":"erasure_requested","customer_id":"bob","time":"2026-02-07T12:00:00Z"}
`

// A customer, the timers and the positions in words, the same from the state of a
// stopped instance and from the changelog.
func TestInspect(t *testing.T) {
	broker := brokerProcess(t, 1)
	input := filepath.Join(t.TempDir(), "events.jsonl")
	require.NoError(t, os.WriteFile(input, []byte(inspectedEvents), 0o600))
	a := &audited{t, broker, newRunner(t, broker, "clock: event\n")}
	call(t, "produce", "--input", input, "--brokers", broker)
	a.ready()
	a.through()
	fromLog := []string{"-c", a.config, "--from", "changelog"}
	var ann, timers string
	require.Eventually(t, func() bool { // the last transactions tell of models
		ann, timers = inspected(t, append(fromLog, "--customer", "ann")...), inspected(t, append(fromLog, "--timers", "5")...)
		return strings.Contains(ann, "told")
	}, time.Minute, 50*time.Millisecond)
	a.stop(syscall.SIGTERM)

	told := regexp.MustCompile(`(?m)^  told .*\n  next .*\n`)
	require.Regexp(t, told, ann)
	require.Equal(t, `customer "ann", partition 0
  seen      2026-01-02T10:00:00.000Z to 2026-02-06T11:00:00.000Z, in 2 weeks
  orders    2
            2026-01-02T10:00:00.000Z  19.80, 2 items, discount 2.00, by app, returned 5.00
            2026-02-03T10:00:00.000Z  9.90, 1 item, cancelled 2026-02-05T10:00:00.000Z
  views     the latest 1, from 2026-02-06T10:00:00.000Z to 2026-02-06T10:00:00.000Z
  cart      1 article
  counted   complaints 1
`, told.ReplaceAllString(ann, ""))
	require.Regexp(t, `(?m)^  told      version \d+ as of 2026-02-0\S+: stage \w+, level 1, segment \w+ \(\d\d\d\).*, churn 0\.\d{6} \(\w+\), brought 12\.80`, ann)
	require.Regexp(t, `(?m)^  next      (rfm|churn|journey)\.\w+ at 2026-\S+Z$`, ann)
	require.Regexp(t, `^partition 0: 1 timer\n  2026-\S+Z  (rfm|churn|journey)\.\w+ +customer "ann"\n$`, timers)

	require.Equal(t, inspected(t, append(fromLog, "--customer", "ann")...), inspected(t, "--state", a.state, "--customer", "ann"))
	require.Equal(t, inspected(t, append(fromLog, "--timers", "5")...), inspected(t, "-c", a.config, "--timers", "5"))
	require.Equal(t, inspected(t, append(fromLog, "--facts")...), inspected(t, "--state", a.state, "--facts"))
	require.Contains(t, inspected(t, "--state", a.state, "--customer", "bob"), ": erased\n  next      nothing changes with time alone\n")
	require.Regexp(t, `^partition 0: 2 customers, next input offset 9, changelog read to \d+, newest event 2026-02-07T12:00:00Z, clock 2026-02-06T12:00:00Z, of application [0-9a-f]{8}, topics [0-9a-f]{8}\n$`,
		inspected(t, "--state", a.state))
	require.Regexp(t, `^partition 0: 2 customers, next input offset 9, .*, of app_id dangol, input events\n$`, inspected(t, fromLog...))

	var doc portrait
	require.NoError(t, json.Unmarshal([]byte(inspected(t, "--state", a.state, "--customer", "ann", "--json")), &doc))
	require.Equal(t, "5.00", doc.Orders[0].Returned)
	require.NotEmpty(t, doc.Next.What)
	var pos positionDoc
	require.NoError(t, json.Unmarshal([]byte(inspected(t, "--state", a.state, "--json")), &pos))
	require.Equal(t, int64(9), pos.NextOffset)

	cmd := newInspectCommand()
	for _, args := range [][]string{{"--state", a.state, "--customer", "eve"}, {"--from", "changelog"}, {"--state", a.state, "x"}, {"--state", a.state, "--from", "x"}, {}} {
		cmd.SetArgs(args)
		require.Error(t, cmd.ExecuteContext(t.Context()), fmt.Sprint(args))
		cmd = newInspectCommand()
	}
}
