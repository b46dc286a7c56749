package rfm

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
)

// cdnow reads the public sample of a CD shop: one Customer each, by id.
func cdnow(t *testing.T) map[string]Customer {
	dir := os.Getenv("DANGOL_DATA")
	if dir == "" {
		t.Skip("DANGOL_DATA is unset: needs cdnow/CDNOW_sample.txt")
	}
	f, err := os.Open(filepath.Join(dir, "cdnow", "CDNOW_sample.txt"))
	require.NoError(t, err)
	defer f.Close()
	days := map[string]map[int32]bool{}
	cs := map[string]Customer{}
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		col := strings.Fields(sc.Text())
		require.Len(t, col, 5)
		at, err := time.Parse("20060102", col[2])
		require.NoError(t, err)
		amount, err := event.ParseMicro([]byte(col[4]))
		require.NoError(t, err)
		day, id := int32(at.Unix()/86400), col[1]
		if days[id] == nil {
			days[id] = map[int32]bool{}
		}
		days[id][day] = true
		c := cs[id]
		c.LastDay = max(c.LastDay, day)
		c.Frequency = len(days[id])
		c.Monetary = c.Monetary.Add(amount)
		cs[id] = c
	}
	require.NoError(t, sc.Err())
	return cs
}

func TestCDNOW(t *testing.T) {
	cs := cdnow(t)
	require.Len(t, cs, 2357)
	asOf := int32(time.Date(1998, 7, 1, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	var p Population
	var all []Customer
	for _, c := range cs {
		p.Add(c)
		all = append(all, c)
	}
	live, plain := p.Cuts(asOf), plainCuts(all, asOf)
	require.Equal(t, [4]float64{153, 443, 487, 513}, live.Recency)
	require.Equal(t, [4]float64{1, 1, 2, 4}, live.Frequency)
	for i, want := range [4]float64{15.36, 31.958, 59.25, 130.436} {
		require.InDelta(t, want, plain.Monetary[i], 1e-6)
		require.InEpsilon(t, want, live.Monetary[i], 0.005)
	}
	groups := func(cuts *Cuts) map[[3]uint8]int {
		n := map[[3]uint8]int{}
		for _, c := range cs {
			r, f, m := cuts.Score(int(asOf-c.LastDay), c.Frequency, c.Monetary)
			n[[3]uint8{r, f, m}]++
		}
		return n
	}
	exact, near := groups(&plain), groups(&live)
	require.Equal(t, 233, exact[[3]uint8{5, 5, 5}])
	require.Equal(t, 167, exact[[3]uint8{1, 1, 1}])
	require.InDelta(t, 233, near[[3]uint8{5, 5, 5}], 2)
	require.InDelta(t, 167, near[[3]uint8{1, 1, 1}], 2)
	for id, want := range map[string][3]uint8{"0001": {4, 4, 4}, "0002": {1, 3, 4}} {
		c := cs[id]
		r, f, m := live.Score(int(asOf-c.LastDay), c.Frequency, c.Monetary)
		require.Equal(t, want, [3]uint8{r, f, m}, id)
	}
}
