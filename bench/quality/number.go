package quality

import (
	"math"
	"strconv"
	"strings"
)

// unknown stands for a number that is not known.
const unknown = "–"

// count writes n with a comma before each three digits.
func count(n int) string {
	s := strconv.Itoa(n)
	from := len(s) - 3
	for ; from > 0 && s[from-1] != '-'; from -= 3 {
		s = s[:from] + "," + s[from:]
	}
	return s
}

// fixed writes v with so many decimals.
func fixed(v float64, decimals int) string {
	if !finite(v) {
		return unknown
	}
	if math.Abs(v) >= 1e15 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if s[0] == '-' {
		if strings.Trim(s, "-0.") == "" {
			return s[1:] // no minus zero
		}
		return "−" + s[1:]
	}
	return s
}

// percent writes a share as a percentage.
func percent(v float64, decimals int) string {
	if !finite(v) {
		return unknown
	}
	return fixed(100*v, decimals) + " %"
}

// points writes a difference of shares in percentage points.
func points(v float64) string {
	if !finite(v) {
		return unknown
	}
	s := fixed(100*v, 1)
	if s == "1.0" {
		return "1 point"
	}
	return s + " points"
}

// ofHundred writes a share as a number out of a hundred; 0 and 100 are said
// only where they are meant.
func ofHundred(v float64) string {
	if s := fixed(100*v, 0); (s != "0" || v == 0) && (s != "100" || v == 1) {
		return s
	}
	if v < .5 {
		return "fewer than 1"
	}
	return "more than 99"
}

// amount writes v with about three significant digits, and k, m, bn.
func amount(v float64) string {
	if !finite(v) {
		return unknown
	}
	a := math.Abs(v)
	switch {
	case a >= 1e15:
		return fixed(v, 0)
	case a >= 1e9:
		return short(v/1e9) + " bn"
	case a >= 1e6:
		return short(v/1e6) + " m"
	case a >= 1e4:
		return short(v/1e3) + " k"
	case a >= 100:
		return fixed(v, 0)
	case a >= 10:
		return fixed(v, 1)
	case a >= 0.1 || a == 0:
		return fixed(v, 2)
	}
	return fixed(v, 4)
}

// short writes a mantissa of at most three digits before the point, without idle zeros.
func short(v float64) string {
	if math.Abs(v) >= 100 {
		return fixed(v, 0)
	}
	return strings.TrimSuffix(strings.TrimRight(fixed(v, 1), "0"), ".")
}

// money writes v in a currency.
func money(v float64, currency string) string {
	if s := amount(v); currency == "" || s == unknown {
		return s
	}
	return currency + " " + amount(v)
}

// plain turns a name of the API into words.
func plain(name string) string { return strings.ReplaceAll(name, "_", " ") }

// alone turns the name of a baseline into words within a sentence.
func alone(name string) string {
	if s, ok := strings.CutSuffix(name, " only"); ok {
		return s + " alone"
	}
	return name
}

// list joins words as in a sentence.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " and " + words[n]
}
