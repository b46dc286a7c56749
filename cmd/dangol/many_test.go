package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// world is what an application says of everybody and everything: by path of the API.
type world map[string]any

// hangsOnTheWay are the fields of answers that hang on what was said when, and not
// on what is: what came before, and what is kept for a while when a probability goes
// back over a line.
var hangsOnTheWay = map[string]bool{
	"version": true, "evidence": true, "next_change": true, "previous_segment": true, "band": true, // of a customer
	"migrations": true, "bands": true, // of the population
	"quality": true, "past": true, // of the models
}

// now is what is.
func now(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if hangsOnTheWay[key] {
				delete(v, key)
			} else {
				v[key] = now(value)
			}
		}
	case []any:
		for i := range v {
			v[i] = now(v[i])
		}
	}
	return v
}

// world asks an instance for everything that is to be known of some items and
// customers. What it cannot say now is nil.
func (r *runner) world(items, customers []string) world {
	w := world{}
	paths := []string{"/v1/population", "/v1/models"}
	for _, it := range items {
		for _, kind := range []string{"same_order", "same_session", "next_order", "same_customer"} {
			paths = append(paths, "/v1/items/"+url.PathEscape(it)+"/affinities?k=100&kind="+kind)
		}
	}
	for _, path := range paths {
		var v any
		if code := r.get(path, &v); code == http.StatusOK || code == http.StatusNotFound {
			w[path] = now(v)
		} else {
			w[path] = nil
		}
	}
	for ids := range slices.Chunk(customers, 200) {
		maps.Copy(w, r.documents(ids))
	}
	return w
}

// documents are customers', by id.
func (r *runner) documents(ids []string) world {
	body, err := json.Marshal(map[string]any{"ids": ids})
	require.NoError(r.t, err)
	resp, err := http.Post(r.api+"/v1/customers:batchGet", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	if resp.StatusCode != http.StatusOK {
		return world{ids[0]: nil}
	}
	var all struct {
		Customers []map[string]any `json:"customers"`
	}
	require.NoError(r.t, json.Unmarshal(text, &all), "%s", text)
	w := world{}
	for _, doc := range all.Customers {
		w[doc["customer_id"].(string)] = now(doc)
	}
	return w
}

// differs says where two values differ; "" where they are the same. Numbers, and
// amounts in strings, may to the tolerance, since a fit begins at the one before.
func differs(path string, want, got any, tolerance float64) string {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok && len(g) == len(w) {
			for _, key := range slices.Sorted(maps.Keys(w)) {
				if d := differs(path+"."+key, w[key], g[key], tolerance); d != "" {
					return d
				}
			}
			return ""
		}
	case []any:
		if g, ok := got.([]any); ok && len(g) == len(w) {
			for i := range w {
				if d := differs(fmt.Sprintf("%s[%d]", path, i), w[i], g[i], tolerance); d != "" {
					return d
				}
			}
			return ""
		}
	case float64:
		if g, ok := got.(float64); ok && math.Abs(w-g) <= tolerance*max(1, math.Abs(w)) {
			return ""
		}
	case string:
		g, ok := got.(string)
		a, errA := strconv.ParseFloat(w, 64)
		b, errB := strconv.ParseFloat(g, 64)
		if ok && (w == g || errA == nil && errB == nil && differs("", a, b, tolerance) == "") {
			return ""
		}
	default:
		if want == got {
			return ""
		}
	}
	return fmt.Sprintf("%s: %v, want %v", path, got, want)
}

// differs says where a world is another than this one.
func (w world) differs(o world) string {
	if len(w) != len(o) {
		return fmt.Sprintf("%d answers, want %d", len(o), len(w))
	}
	for _, key := range slices.Sorted(maps.Keys(w)) {
		tolerance := 1e-6
		if strings.HasPrefix(key, "/v1/items/") || key == "/v1/population" {
			tolerance = 0
		}
		if d := differs(key, w[key], o[key], tolerance); d != "" {
			return d
		}
	}
	return ""
}

// named are the different texts that a pattern's first group finds, sorted.
func named(text []byte, pattern string) []string {
	all := map[string]bool{}
	for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
		all[string(m[1])] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// The same events go through one instance, and through three that come one after the
// other and of which two are killed. When nothing happens any more, each of the three
// answers as the one does: the affinities of all items and the population exactly,
// models and customers to the tolerance of a fit.
func TestThreeInstancesAreAsOne(t *testing.T) {
	events := number(t, "DANGOL_EVENTS", 20_000)
	input := filepath.Join(t.TempDir(), "events.jsonl")
	call(t, "generate", "--events", fmt.Sprint(events), "--customers", fmt.Sprint(max(400, events/50)), "--out", input)
	text, err := os.ReadFile(input)
	require.NoError(t, err)
	items, customers := named(text, `"(?:item_id|product_id)":"([^"]+)"`), named(text, `"(?:customer_id|userId)":"([^"]+)"`)
	require.NotEmpty(t, items)
	require.Greater(t, len(customers), 400)

	broker := brokerProcess(t, 6)
	// What lists of offers are judged by is one process's: see lessons.
	settings := fmt.Sprintf("clock: event\nnext_best: {judged: 0}\nhorizon_days: 7\nlearn: {sample: %d, min_labels: 100}\n", events/64)
	one := newRunner(t, broker, "app_id: one\n"+settings)
	var three []*runner
	join := func() {
		three = append(three, newRunner(t, broker, "app_id: three\n"+settings,
			"--set", "input.session_timeout=6s", "--set", fmt.Sprintf("input.instance=%q", fmt.Sprint(len(three)))))
	}
	join()
	producing := start(t, "produce", "--input", input, "--brokers", broker, "--rate", fmt.Sprint(max(events/8, 2000)))
	three[0].ready()
	three[0].committed(events / 10)
	join()
	join()
	three[1].ready()
	three[2].ready()
	three[1].committed(1)
	three[1].stop(syscall.SIGKILL)
	three[1].start()
	three[0].stop(syscall.SIGKILL)
	three[0].start()
	producing.says(t, `(\d+) records produced`)
	one.ready()
	one.drained(broker, "one")
	for _, r := range three {
		r.ready()
	}
	three[0].drained(broker, "three")

	want := one.settled(three, items, customers, 90*time.Second+time.Duration(events)*time.Millisecond/4)
	learned := want["/v1/models"].(map[string]any)
	t.Logf("%d items, %d customers, models as of %v, of %v labels, refused %v", len(items), len(customers), learned["at"], learned["churn_labels"], learned["refused"])
	require.NotEmpty(t, learned["at"])
}

// settled waits until the instance, and others beside it, say the same of everything, and
// that stays as it is; it returns what they say.
func (r *runner) settled(others []*runner, items, customers []string, within time.Duration) world {
	r.t.Helper()
	began, before := time.Now(), world{}
	for {
		want := r.world(items, customers)
		difference := before.differs(want)
		for i, o := range others {
			if difference == "" {
				if difference = want.differs(o.world(items, customers)); difference != "" {
					difference = fmt.Sprintf("instance %d: %s", i, difference)
				}
			}
		}
		if difference == "" {
			return want
		}
		before = want
		require.Less(r.t, time.Since(began), within, difference)
		time.Sleep(time.Second)
	}
}

// committed waits until an instance has committed so many events since it started.
func (r *runner) committed(n int) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		resp, err := http.Get(r.api + "/metrics")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		m := regexp.MustCompile(`(?m)^dangol_pipeline_events_total (\S+)$`).FindSubmatch(text)
		if err != nil || m == nil {
			return false
		}
		events, err := strconv.ParseFloat(string(m[1]), 64)
		return err == nil && int(events) >= n
	}, 60*time.Second, 20*time.Millisecond, "%s", &r.out)
}
