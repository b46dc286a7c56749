package rhythm

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// realData opens a file of $DANGOL_DATA, or skips the test by name.
func realData(t testing.TB, elements ...string) *os.File {
	dir := os.Getenv("DANGOL_DATA")
	if dir == "" {
		t.Skipf("DANGOL_DATA is unset: %s needs %s", t.Name(), filepath.Join(elements...))
	}
	f, err := os.Open(filepath.Join(append([]string{dir}, elements...)...))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// observe makes observations of purchase days (numbers of days), as of end,
// orders after it ignored; unit is that of the result, in days.
func observe(purchases map[string][]int, end int, unit float64) []Observation {
	var all []Observation
	for _, days := range purchases {
		slices.Sort(days)
		days = slices.Compact(days)
		var o Observation
		last := days[0]
		if last > end {
			continue
		}
		for _, d := range days[1:] {
			if d > end {
				break
			}
			gap := float64(d-last) / unit
			o.Repeats++
			o.Sum += gap
			o.LnSum += math.Log(gap)
			last = d
		}
		o.Silence = float64(end-last) / unit
		all = append(all, o)
	}
	return all
}

func dayOf(t testing.TB, layout, s string) int {
	at, err := time.Parse(layout, s)
	require.NoError(t, err)
	return int(at.Unix() / 86400)
}

// cdnow is the CDNOW sample up to 1997-09-30.
func cdnow(t testing.TB, unit float64) []Observation {
	purchases := map[string][]int{}
	lines := bufio.NewScanner(realData(t, "cdnow", "CDNOW_sample.txt"))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		purchases[f[1]] = append(purchases[f[1]], dayOf(t, "20060102", f[2]))
	}
	require.NoError(t, lines.Err())
	return observe(purchases, dayOf(t, "20060102", "19970930"), unit)
}

// cdnowSummary is the same in weeks of two digits, as published: without Σ ln gap,
// which k = 1 does not need.
func cdnowSummary(t testing.TB) []Observation {
	rows, err := csv.NewReader(realData(t, "cdnow", "cdnow_customers_summary.csv")).ReadAll()
	require.NoError(t, err)
	var all []Observation
	for _, row := range rows[1:] {
		var v [3]float64
		for i := range v {
			v[i], err = strconv.ParseFloat(row[i+1], 64)
			require.NoError(t, err)
		}
		all = append(all, Observation{History{Repeats: int(v[0]), Sum: v[1]}, v[2] - v[1]})
	}
	require.Len(t, all, 2357)
	return all
}

// onlineRetail is the UCI log: purchase days of known customers, without
// cancellations and returns.
func onlineRetail(t testing.TB) []Observation {
	z, err := gzip.NewReader(realData(t, "online_retail", "online_retail_to_2011-09-09.csv.gz"))
	require.NoError(t, err)
	rows := csv.NewReader(z)
	rows.ReuseRecord = true
	_, err = rows.Read()
	require.NoError(t, err)
	purchases, end := map[string][]int{}, 0
	days := map[string]int{}
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		n, err := strconv.Atoi(row[3])
		require.NoError(t, err)
		date := row[4][:10]
		d, ok := days[date]
		if !ok {
			d = dayOf(t, "2006-01-02", date)
			days[strings.Clone(date)] = d
		}
		end = max(end, d)
		if id := row[6]; id != "" && n > 0 && !strings.HasPrefix(row[0], "C") {
			id = strings.TrimSuffix(id, ".0")
			if l := purchases[id]; len(l) == 0 || l[len(l)-1] != d {
				purchases[strings.Clone(id)] = append(l, d)
			}
		}
	}
	return observe(purchases, end, 1)
}
