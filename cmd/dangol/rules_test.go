package main

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
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

func rulesOf(t *testing.T, args ...string) *rulesDocument {
	t.Helper()
	out, errOut, err := run(t, append([]string{"rules", "--out", "json"}, args...)...)
	require.NoError(t, err)
	require.Empty(t, errOut)
	doc := new(rulesDocument)
	require.NoError(t, json.Unmarshal([]byte(out), doc))
	return doc
}

func rulesData(t *testing.T, path string) string {
	dir := os.Getenv("DANGOL_DATA")
	if dir == "" {
		t.Skipf("DANGOL_DATA is unset: %s needs %s", t.Name(), path)
	}
	return filepath.Join(dir, filepath.FromSlash(path))
}

// The published figures of Groceries.
func TestRulesOfGroceries(t *testing.T) {
	in := []string{"--input", rulesData(t, "groceries/groceries.csv"), "--format", "baskets"}
	doc := rulesOf(t, in...)
	require.Equal(t, []any{9835., 169, 88, 213, 32, 522, 0., 0.},
		[]any{doc.Orders, doc.Items, doc.FrequentItems, doc.FrequentPairs, doc.FrequentTriples, len(doc.Rules), doc.PairsShortBy, doc.TriplesShortBy})
	require.Len(t, rulesOf(t, append(in, "--min-confidence", "0.25")...).Rules, 170)
	require.Len(t, rulesOf(t, append(in, "--min-confidence", "0.5")...).Rules, 15)
	require.Len(t, rulesOf(t, append(in, "--max-items", "1")...).Rules, 426, "both ways of 213 pairs")
	doc = rulesOf(t, append(in, "--min-support", "0.001")...)
	require.Equal(t, []int{157, 2981, 6831, 26455}, []int{doc.FrequentItems, doc.FrequentPairs, doc.FrequentTriples, len(doc.Rules)})
	for _, want := range []struct {
		left, then                string
		support, confidence, lift float64
	}{
		{"whole milk, yogurt", "curd", .010066, .179673, 3.372304},
		{"citrus fruit, other vegetables", "root vegetables", .010371, .359155, 3.295045},
		{"citrus fruit, root vegetables", "other vegetables", .010371, .586207, 3.029608},
		{"beef", "root vegetables", .017387, .331395, 3.040367},
		{"Instant food products, soda", "hamburger meat", .001220, .631579, 18.995654},
	} {
		i := slices.IndexFunc(doc.Rules, func(r jsonRule) bool { return strings.Join(r.If, ", ") == want.left && r.Then == want.then })
		require.GreaterOrEqual(t, i, 0, want.left)
		r := doc.Rules[i]
		require.InDelta(t, want.support, r.Support, 5e-7)
		require.InDelta(t, want.confidence, r.Confidence, 5e-7)
		require.InDelta(t, want.lift, r.Lift, 5e-7)
	}
	strong := rulesOf(t, append(in, "--min-support", "0.001", "--min-lift", "5")...).Rules
	n := len(slices.DeleteFunc(slices.Clone(doc.Rules), func(r jsonRule) bool { return r.Lift < 5 }))
	require.Len(t, strong, n)
	require.Positive(t, n)
}

func TestRulesOfBreadBasket(t *testing.T) {
	in := []string{"--input", rulesData(t, "breadbasket/BreadBasket_DMS.csv"), "--format", "breadbasket"}
	doc := rulesOf(t, in...)
	require.Equal(t, []int{30, 28, 3}, []int{doc.FrequentItems, doc.FrequentPairs, doc.FrequentTriples})
	require.Equal(t, 9465., doc.Orders)
	require.EqualValues(t, 786, doc.RejectedLines)
	out, _, err := run(t, append([]string{"rules"}, in...)...)
	require.NoError(t, err)
	require.Contains(t, out, "BreadBasket_DMS.csv: 9465 orders with items, 94 items\n")
	require.Contains(t, out, "note: 786 of 21293 lines were left out")
}

// linesFile writes a file.
func linesFile(t *testing.T, text ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "input")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(text, "\n")+"\n"), 0o600))
	return path
}

func TestRulesAsText(t *testing.T) {
	in := linesFile(t, "bread,butter,jam", "bread,butter", "bread,butter", "bread,milk", "milk", "milk,kölsch,jam")
	out, errOut, err := run(t, "rules", "--input", in, "--format", "baskets", "--min-support", "0.3")
	require.NoError(t, err)
	require.Empty(t, errOut)
	require.Equal(t, `input: 6 orders with items, 5 items
support of at least 0.3: 4 items, 1 pairs, 0 triples; 2 rules

left side   right side  count  support  confidence  lift  leverage  conviction    cosine      LLR  significance
bread     → butter          3      0.5        0.75   1.5  0.166667           2  0.866025  3.81909     0.0506719
butter    → bread           3      0.5           1   1.5  0.166667        +Inf  0.866025  3.81909     0.0506719
`, out)
	for _, sort := range measureNames() {
		all := rulesOf(t, "--input", in, "--format", "baskets", "--min-support", "0", "--sort", sort)
		value := func(r jsonRule) float64 {
			c := math.Inf(1)
			if r.Conviction != nil {
				c = *r.Conviction
			}
			return map[string]float64{"support": r.Support, "confidence": r.Confidence, "lift": r.Lift, "leverage": r.Leverage,
				"conviction": c, "cosine": r.Cosine, "llr": r.LLR}[sort]
		}
		require.True(t, slices.IsSortedFunc(all.Rules, func(a, b jsonRule) int {
			return cmp.Or(cmp.Compare(value(b), value(a)), slices.Compare(a.If, b.If), strings.Compare(a.Then, b.Then))
		}), sort)
		require.Equal(t, 20, all.Found, "both ways of seven pairs, three of each of two triples")
		short := rulesOf(t, "--input", in, "--format", "baskets", "--min-support", "0", "--sort", sort, "--limit", "3")
		require.Equal(t, all.Rules[:3], short.Rules)
		require.Equal(t, 20, short.Found)
	}
	out, _, err = run(t, "rules", "--input", in, "--format", "baskets", "--min-support", "0", "--limit", "1")
	require.NoError(t, err)
	require.Contains(t, out, "20 rules, the first 1 by lift\n")
}

func TestRulesAsCSV(t *testing.T) {
	in := linesFile(t, "a,b,c", "a,b,c", "c,d")
	out, errOut, err := run(t, "rules", "--input", in, "--format", "baskets", "--out", "csv", "--sort", "confidence")
	require.NoError(t, err)
	require.Equal(t, "input: 3 orders with items, 4 items\nsupport of at least 0.01: 4 items, 4 pairs, 1 triples; 11 rules\n", errOut)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 12)
	require.Equal(t, strings.Split("if,and,then,count,support,confidence,lift,leverage,conviction,cosine,llr,significance", ","), rows[0])
	require.Equal(t, []string{"a", "", "b", "2", "0.6666666666666666", "1", "1.5"}, rows[1][:7])
	require.Equal(t, []string{"a", "b", "c"}, rows[3][:3])
	require.Equal(t, "+Inf", rows[1][8])
}

// events are lines of native JSON.
func orderLine(customer string, n int, kind, order string, items ...string) string {
	var is []string
	for _, it := range items {
		is = append(is, fmt.Sprintf(`{"item_id":%q}`, it))
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Hour).Format(time.RFC3339)
	return fmt.Sprintf(`{"id":"e%d%s","type":%q,"customer_id":%q,"time":%q,"order_id":%q,"amount":"10","items":[%s]}`, n, customer, kind, customer, at, order, strings.Join(is, ","))
}

// What is given back does not count; what a customer bought long ago does.
func TestRulesSubtractRefunds(t *testing.T) {
	in := linesFile(t,
		orderLine("x", 1, "order_completed", "1", "a", "b"), orderLine("x", 2, "order_completed", "2", "a", "b", "c"),
		orderLine("y", 3, "order_completed", "3", "a", "c"), orderLine("y", 4, "order_completed", "4", "a", "b"),
		orderLine("x", 5, "order_refunded", "2"), orderLine("y", 6, "order_cancelled", "3"),
		orderLine("z", 7, "order_completed", "5", "a", "b"), orderLine("z", 8, "erasure_requested", ""),
		orderLine("y", 9, "order_updated", "4", "a", "d"))
	doc := rulesOf(t, "--input", in)
	require.Equal(t, 2., doc.Orders)
	var got []string
	for _, r := range doc.Rules {
		got = append(got, fmt.Sprint(r.If, r.Then, r.Count))
	}
	require.Equal(t, []string{"[a]b1", "[a]d1", "[b]a1", "[d]a1"}, got)

	_, _, err := run(t, "rules", "--input", linesFile(t, orderLine("x", 1, "product_viewed", "", "a")))
	require.EqualError(t, err, "no order with items in the 1 lines: is --format right?")
}

// A customer may have more orders than a ledger holds one by one.
func TestRulesOfACustomerWithManyOrders(t *testing.T) {
	var text []string
	for i := range 700 {
		text = append(text, orderLine("x", 30*i, "order_completed", strconv.Itoa(i), "a", "b"+strconv.Itoa(i%2)))
	}
	text = append(text, orderLine("x", 30*700, "order_refunded", "699"))
	doc := rulesOf(t, "--input", linesFile(t, text...))
	require.Equal(t, 699., doc.Orders)
	require.Equal(t, 350., doc.Rules[0].Count)
	require.Equal(t, []string{"a"}, doc.Rules[0].If)

	half := rulesOf(t, "--input", linesFile(t, text[:700]...), "--half-life", "300h")
	require.InEpsilon(t, 10/math.Ln2, half.Orders, .06, "ten orders in a half-life")
}

func TestRulesSayWhatWasCut(t *testing.T) {
	var wide []string
	for i := range 100 {
		wide = append(wide, "item"+strconv.Itoa(i))
	}
	in := linesFile(t, strings.Join(wide, ","), strings.Join(wide[:40], ","), "item1,item2")
	out, _, err := run(t, "rules", "--input", in, "--format", "baskets", "--limit", "1")
	require.NoError(t, err)
	require.Contains(t, out, "note: 1 orders of 64 items or more were cut to 64\n")
	require.Contains(t, out, "note: 2 orders of more than 32 items count for rules of one item on the left side only\n")
	doc := rulesOf(t, "--input", in, "--format", "baskets")
	require.Equal(t, []int{1, 2}, []int{doc.GiantOrders, doc.WideOrders})
}

// Several files are one history.
func TestRulesOfSeveralFiles(t *testing.T) {
	a, b := linesFile(t, "x,y", "x,y"), linesFile(t, "x,z")
	doc := rulesOf(t, "--input", a, "--input", b, "--format", "baskets")
	require.Equal(t, 3., doc.Orders)
	require.Equal(t, 2, doc.FrequentPairs)
}

func TestRulesNameEveryBadFlag(t *testing.T) {
	_, _, err := run(t, "rules")
	require.EqualError(t, err, "no file given: dangol rules --input FILE")
	for flag, want := range map[string]string{
		"--min-support=2":     "--min-support 2: want a share of all orders, 0 to 1, such as 0.01",
		"--min-confidence=-1": "--min-confidence -1: want a share, 0 to 1, such as 0.25",
		"--min-lift=-1":       "--min-lift -1: want a number from 0 on, such as 1.5",
		"--max-items=3":       "--max-items 3: want 1 or 2",
		"--limit=-1":          "--limit -1: want a number of rules, or 0 for all",
		"--sort=chance":       `--sort "chance": want one of support, confidence, lift, leverage, conviction, cosine, llr`,
		"--out=xml":           `--out "xml": want text, csv or json`,
		"--half-life=1s":      "--half-life 1s: want 0s, or 1m to 876000h",
		"--min-support=NaN":   "--min-support NaN: want a share of all orders, 0 to 1, such as 0.01",
	} {
		_, _, err := run(t, "rules", "--input", "x", flag)
		require.EqualError(t, err, want, flag)
	}
	_, _, err = run(t, "rules", "--input", "x", "--limit=-1", "--max-items=0")
	require.EqualError(t, err, "--max-items 0: want 1 or 2\n--limit -1: want a number of rules, or 0 for all")
	_, _, err = run(t, "rules", "--input", filepath.Join(t.TempDir(), "missing"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, _, err = run(t, "rules", "--input", "x", "--format", "xls")
	require.ErrorContains(t, err, `format "xls" is unknown`)
	_, _, err = run(t, "rules", "--input", "x", "--as-of", "soon")
	require.ErrorContains(t, err, `--as-of "soon"`)
}
