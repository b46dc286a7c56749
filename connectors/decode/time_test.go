package decode

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestEveryDay(t *testing.T) {
	step := 1
	for day := time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC); day.Year() < 10000; day = day.AddDate(0, 0, step) {
		if day.Year() > 2104 {
			step = 29
		}
		ms, reason := parseTime(day.Format(time.RFC3339))
		if reason != "" || ms != day.UnixMilli() {
			t.Fatalf("%v: %d %s", day, ms, reason)
		}
	}
}

// Times written in any zone and precision, some damaged, against time.Parse.
func TestTimeAgainstPlain(t *testing.T) {
	good := 0
	check := func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(-40*365*msPerDay, endOfTime+msPerDay).Draw(t, "at")).
			In(time.FixedZone("", 60*rapid.IntRange(-1439, 1439).Draw(t, "east")))
		layout := rapid.SampledFrom([]string{time.RFC3339, time.RFC3339Nano, "2006-01-02T15:04:05.000000000Z07:00", "2006-01-02 15:04:05.0Z07:00"}).Draw(t, "layout")
		s := []byte(at.Format(layout))
		if rapid.Bool().Draw(t, "damage") {
			s[rapid.IntRange(0, len(s)-1).Draw(t, "where")] = rapid.SampledFrom([]byte("0123456789-+:.TtZz ,")).Draw(t, "byte")
		}
		o := oracle{}
		want := o.time(string(s), 0)
		ms, reason := parseTime(string(s))
		if (reason == "") != (o.err == nil) || reason == "" && ms != want {
			t.Fatalf("%s: %d %q, plain %d %v", s, ms, reason, want, o.err)
		}
		if reason == "" {
			good++
		}
	}
	for i := 0; i < 30 && good <= 20; i++ {
		rapid.Check(t, check)
	}
	require.Greater(t, good, 20)
}

func TestMillis(t *testing.T) {
	for _, s := range []string{"1", "1795253400000", "1795253400000.75", "253402300799999", "253402300800000", "99999999999999999999", "0", "0.5", "-1", "1e12", "1.5e3"} {
		o := oracle{}
		want := o.time(json.Number(s), 0)
		ms, reason := parseMillis([]byte(s))
		require.Equal(t, o.err == nil, reason == "", s)
		if reason == "" {
			require.Equal(t, want, ms, s)
		}
	}
}

func TestCurrencies(t *testing.T) {
	known := strings.Fields(currencies)
	require.Equal(t, len(known)*4, len(currencies)+1, "the table is cut at every fourth byte")
	seen := map[string]bool{}
	for _, c := range known {
		require.False(t, seen[c], c)
		seen[c] = true
		got, ok := currency(strings.ToLower(c))
		require.True(t, ok && got == c, c)
	}
	for _, c := range []string{"", "E", "EU", "EURO", "XXX", "XTS", "E R", "[[[", "é", "ABC"} {
		_, ok := currency(c)
		require.False(t, ok, c)
	}
	require.True(t, IsCurrency("KRW"))
	require.False(t, IsCurrency("krw"))
}

// Conversion and products against exact fractions, rounded half up.
func TestMulDivAgainstPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[0-9]{1,12}(\.[0-9]{1,6})?`).Draw(t, "rate")
		r, err := parseRate(s)
		exact, _ := new(big.Rat).SetString(s)
		if (err == nil) != (exact.Sign() > 0) {
			t.Fatalf("%s: %v", s, err)
		}
		if err != nil {
			return
		}
		m := rapid.Int64Min(0).Draw(t, "micro")
		want := new(big.Rat).Add(new(big.Rat).Mul(exact, new(big.Rat).SetInt64(m)), big.NewRat(1, 2))
		floor := new(big.Int).Div(want.Num(), want.Denom())
		got, ok := r.of(event.Micro(m))
		if ok != floor.IsInt64() || ok && int64(got) != floor.Int64() {
			t.Fatalf("%d × %s: %d %v, want %v", m, s, got, ok, floor)
		}
	})
	for _, s := range []string{"", "0", "0.0", "-1", "1.", ".5", "1e3", "1234567890123456789", "0x1", "1.2.3"} {
		_, err := parseRate(s)
		require.Error(t, err, s)
	}
}
