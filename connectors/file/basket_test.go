package file

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const day = 24 * 3600 * 1000

func TestBaskets(t *testing.T) {
	out, report := readAll(t, write(t, "shop.csv", "bread ,milk,bread\n\n\"milk\",\"tea, green\"\r\n,\n"), "baskets", Options{}, nil)
	require.Equal(t, []string{
		`{"type":"order_completed","customer_id":"line-1","time":"2000-01-01T00:00:00Z","order_id":"line-1","items":[{"item_id":"bread"},{"item_id":"milk"}]}`,
		`{"type":"order_completed","customer_id":"line-3","time":"2000-01-01T00:02:00Z","order_id":"line-3","items":[{"item_id":"milk"},{"item_id":"tea, green"}]}`,
	}, out)
	require.Equal(t, map[event.Reason]int64{event.Empty: 1, event.MissingItem: 1}, report.Rejects)
}

// A file of one's own: the basket of an order lies in several lines.
func TestBasketMapping(t *testing.T) {
	mapping := write(t, "baskets.yaml", `
format: csv
separator: "|"
type: order_completed
group_by: order
columns: {order: "1", customer: "2", items_from: "3"}
time: {start: 2024-07-01, every: 24h}
`)
	out, report := readAll(t, write(t, "baskets.txt", "o1|c|A|B\no2|c|A\no1|c|C|A\n"), mapping, Options{}, nil)
	require.Equal(t, []string{
		`{"type":"order_completed","customer_id":"c","time":"2024-07-01T00:00:00Z","order_id":"o1","items":[{"item_id":"A","quantity":2},{"item_id":"B"},{"item_id":"C"}]}`,
		`{"type":"order_completed","customer_id":"c","time":"2024-07-02T00:00:00Z","order_id":"o2","items":[{"item_id":"A"}]}`,
	}, out)
	require.Empty(t, report.Rejects)
}

func TestBreadBasket(t *testing.T) {
	out, report := readAll(t, write(t, "sales.csv", `Date,Time,Transaction,Item
2016-10-30,09:58:11,1,Bread
2016-10-30,10:05:34,2,Tea
2016-10-30,10:05:34,2,NONE
2016-10-30,10:05:34,2,Tea
2016-10-30,10:07:00,3,NONE
`), "breadbasket", Options{}, nil)
	require.Equal(t, []string{
		`{"type":"order_completed","customer_id":"1","time":"2016-10-30T09:58:11Z","order_id":"1","items":[{"item_id":"Bread"}]}`,
		`{"type":"order_completed","customer_id":"2","time":"2016-10-30T10:05:34Z","order_id":"2","items":[{"item_id":"Tea","quantity":2}]}`,
	}, out)
	require.Equal(t, map[event.Reason]int64{event.MissingItem: 2, event.BadTime: 1}, report.Rejects)
}

func TestYoochoose(t *testing.T) {
	const header = "SessionId\tItemId\tTime\n"
	later := write(t, "test.txt", header+"3\t70\t1396831793.197\n3\t71\t1396831793\n\n")
	earlier := write(t, "train.txt.gz", zip(t, header+"2\t70\t1396831792.9\n1\t70\t1396831793\n1\t71\tnever\n"))
	want := []string{
		`{"type":"product_viewed","customer_id":"2","time":"2014-04-07T00:49:52.9Z","items":[{"item_id":"70"}],"session_id":"2"}`,
		`{"type":"product_viewed","customer_id":"3","time":"2014-04-07T00:49:53Z","items":[{"item_id":"71"}],"session_id":"3"}`,
		`{"type":"product_viewed","customer_id":"1","time":"2014-04-07T00:49:53Z","items":[{"item_id":"70"}],"session_id":"1"}`,
		`{"type":"product_viewed","customer_id":"3","time":"2014-04-07T00:49:53.197Z","items":[{"item_id":"70"}],"session_id":"3"}`,
	}
	out, report := readEvery(t, []string{later, earlier}, "yoochoose", Options{}, nil)
	require.Equal(t, want, out, "by time, and equal times by the order of the files")
	require.EqualValues(t, 6, report.Lines)
	require.Equal(t, map[event.Reason]int64{event.Empty: 1, event.BadTime: 1}, report.Rejects)
	require.Equal(t, []string{later + ", line 4: empty", earlier + ", line 4: bad_time: field Time"},
		[]string{report.Examples[0].String(), report.Examples[1].String()}, "each in its file")

	want[1], want[2] = want[2], want[1]
	out, _ = readEvery(t, []string{earlier, later}, "yoochoose", Options{}, nil)
	require.Equal(t, want, out)
}

// Whatever is cut into files is read as what it was.
func TestOpenAllAgainstOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var paths []string
		var whole strings.Builder
		for f := range rapid.IntRange(1, 4).Draw(rt, "files") {
			var part strings.Builder
			for i := range rapid.IntRange(0, 5).Draw(rt, "lines") {
				line := visit(fmt.Sprintf("%d.%d,", f, i), rapid.Int64Range(1, 5).Draw(rt, "time"))
				part.WriteString(rapid.SampledFrom([]string{line, line, line, "{"}).Draw(rt, "line") + "\n")
			}
			whole.WriteString(part.String())
			paths = append(paths, write(t, "part.jsonl", part.String()))
		}
		opts := Options{ChunkBytes: rapid.SampledFrom([]int{1, 1 << 20}).Draw(rt, "chunk"), AsOf: 4, TempDir: t.TempDir()}
		want, one := readAll(t, write(t, "whole.jsonl", whole.String()), JSON, opts, nil)
		got, all := readEvery(t, paths, JSON, opts, nil)
		require.Equal(rt, want, got)
		one.Examples, all.Examples = nil, nil // they name their lines by file
		require.Equal(rt, one, all)
	})
}

func TestOpenAllFaults(t *testing.T) {
	good := write(t, "good.csv", "SessionId\tItemId\tTime\n")
	bad := write(t, "bad.csv", "SessionId\tItemId\n")
	_, err := OpenAll(nil, JSON, Options{})
	require.ErrorContains(t, err, "no file given")
	_, err = OpenAll([]string{good, bad}, "yoochoose", Options{})
	require.ErrorContains(t, err, `bad.csv: columns.time: no column "Time"`)
	_, err = OpenAll([]string{good, filepath.Join(t.TempDir(), "none")}, "yoochoose", Options{})
	require.ErrorIs(t, err, os.ErrNotExist)

	whole := zip(t, strings.Repeat(visit("a", 1)+"\n", 1000))
	r, err := OpenAll([]string{good, write(t, "cut.gz", whole[:len(whole)/2])}, JSON, Options{})
	require.NoError(t, err)
	var ev event.Event
	err = r.Next(&ev)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, "cut.gz", "the file at fault is named")
	require.NoError(t, r.Close())
}

const tafeng = `{"8": [[-1], [0, 11, 0], ["A b"], [-1]],
 "é/1": [ [5] ], "x": [], "y": [[-1],[-1]] }`

func TestTafeng(t *testing.T) {
	for name, path := range map[string]string{
		"plain": write(t, "h.json", "\xef\xbb\xbf"+tafeng),
		"gzip":  write(t, "h.json.gz", zip(t, tafeng)),
	} {
		out, report := readAll(t, path, Tafeng, Options{}, nil)
		require.Equal(t, []string{
			`{"type":"order_completed","customer_id":"8","time":"2001-02-21T12:00:00Z","order_id":"8/1","items":[{"item_id":"0"},{"item_id":"11"}]}`,
			`{"type":"order_completed","customer_id":"8","time":"2001-02-28T12:00:00Z","order_id":"8/2","items":[{"item_id":"A b"}]}`,
			`{"type":"order_completed","customer_id":"é/1","time":"2001-02-28T12:00:00Z","order_id":"é/1/1","items":[{"item_id":"5"}]}`,
		}, out, name)
		require.Equal(t, Report{Lines: 3, Events: 3}, report)

		out, report = readAll(t, path, Tafeng, Options{AsOf: 983232000000, ChunkBytes: 1}, nil) // 2001-02-27
		require.Len(t, out, 1)
		require.Equal(t, Report{Lines: 3, Events: 1, After: 2}, report)
	}
}

// A customer's baskets go on in the next file: the last of all is at the end.
func TestTafengFiles(t *testing.T) {
	history := write(t, "history.json", `{"1": [[-1],[10],[11],[-1]], "2": [[-1],[20],[-1]]}`)
	future := write(t, "future.json", `{"2": [[-1],[21],[-1]], "1": [[-1],[],[12],[-1]], "2": [[22]]}`)
	out, report := readEvery(t, []string{history, future}, Tafeng, Options{}, nil)
	order := func(customer, id, day, item string) string {
		return fmt.Sprintf(`{"type":"order_completed","customer_id":%q,"time":"2001-02-%sT12:00:00Z","order_id":%q,"items":[{"item_id":%q}]}`, customer, day, id, item)
	}
	require.Equal(t, []string{
		order("1", "1/1", "07", "10"), order("1", "1/2", "14", "11"), order("2", "2/1", "14", "20"), order("2", "2/2", "21", "21"),
		order("1", "1/4", "28", "12"), order("2", "2/3", "28", "22"),
	}, out)
	require.Equal(t, []Example{{File: future, Line: 2, Reject: event.Reject{Reason: event.Empty, Field: "items", Offset: -1}}}, report.Examples)
}

func TestTafengRejects(t *testing.T) {
	var long strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&long, ",%d", i)
	}
	history := fmt.Sprintf(`{"": [[1]], %q: [[1]], "a": [[],[""],[%s],[%q],[1]], "old": [%s[1]]}`, strings.Repeat("c", 511),
		long.String()[1:], strings.Repeat("i", 513), strings.Repeat("[2],", 1650))
	out, report := readAll(t, write(t, "h.json", history), Tafeng, Options{}, nil)
	require.Equal(t, `{"type":"order_completed","customer_id":"a","time":"2001-02-28T12:00:00Z","order_id":"a/5","items":[{"item_id":"1"}]}`, out[len(out)-2])
	require.Equal(t, map[event.Reason]int64{
		event.MissingCustomer: 1, event.Empty: 1, event.MissingItem: 1, event.TooLarge: 3, event.BadTime: 1650 - nestedEnd/(7*day),
	}, report.Rejects)
}

func TestTafengMalformed(t *testing.T) {
	for text, want := range map[string]string{
		``:                      "byte 0: the file ends before its object does",
		`[[1]]`:                 "byte 1: [: the baskets are one object",
		`{"a": {"b": 1}}`:       "byte 7: {: a user has a list of baskets",
		`{"a": [[1], 2]}`:       "byte 13: 2: a basket is a list of items",
		`{"a": [[1, null]]}`:    "byte 15: <nil>: an item is a number or a text",
		`{"a": [[1, [2]]]}`:     "byte 12: [: an item is a number or a text",
		`{"a": [[1] [2]]}`:      "byte 11: invalid character '['",
		`{"a": [[1, 2}`:         "byte 12: invalid character '}'",
		`{"a": [[1]], 7: []}`:   "byte 13: invalid character '7'",
		`{"a": [[1]]} {"b":[]}`: "byte 14: {: something follows the object",
		`{"a": [[1]]} x`:        "byte 13: invalid character 'x'",
		`{"a": [[1], [2`:        "byte 14: the file ends before its object does",
		`{"a": [[1]]`:           "byte 11: the file ends before its object does",
	} {
		path := write(t, "h.json", text)
		r, err := Open(path, Tafeng, Options{})
		var ev event.Event
		for err == nil {
			err = r.Next(&ev)
		}
		require.False(t, errors.Is(err, io.EOF), text)
		require.ErrorContains(t, err, path+": "+want, text)
	}
}
