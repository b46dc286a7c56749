package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// table writes what came out: by law, with --against by shop, and the paired
// differences.
func table(c *config, trials []trial) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Shops: %d, %d of each law; %d days before the cut, %d after it; about %d customers up to the cut.\n\n",
		len(trials), c.seeds, c.days, horizon, c.buyers)
	lawTable(&b, trials)
	if c.against != "" {
		fmt.Fprintf(&b, "\nBy shop, against %s\n\n", c.against)
		shopTable(&b, trials)
	}
	b.WriteString("\nDifferences shop by shop, with their standard errors over shops and over laws. A log-loss below 0 and\nan AUC above 0 are for dangol; better, worse, same: shops by log-loss.\n\n")
	fmt.Fprintf(&b, "%-12s  %9s %9s %9s  %9s %9s %9s  %6s %6s %6s\n",
		"against", "log-loss", "± shops", "± laws", "AUC", "± shops", "± laws", "better", "worse", "same")
	mine := func(t *trial) measure { return t.verdict.by[ours] }
	pairedRow(&b, mbgnbd, compare(trials, mine, func(t *trial) measure { return t.verdict.by[mbgnbd] }))
	pairedRow(&b, recency, compare(trials, mine, func(t *trial) measure { return t.verdict.by[recency] }))
	if c.against != "" {
		pairedRow(&b, "the other", compare(trials, mine, func(t *trial) measure { return t.against.by[ours] }))
	}
	return b.String()
}

// lawTable has a row a law, the mean over its shops, and the mean of all.
func lawTable(b *strings.Builder, trials []trial) {
	fmt.Fprintf(b, "%-10s  %8s  %-26s  %s\n", "", "", "AUC", "log-loss")
	fmt.Fprintf(b, "%-10s  %8s  %8s %8s %8s  %8s %8s %8s\n",
		"law", "learned", ours, mbgnbd, "recency", ours, mbgnbd, "recency")
	row := func(name string, trials []trial) {
		learned := 0
		var auc, logLoss [3]float64
		for i := range trials {
			if trials[i].verdict.learned {
				learned++
			}
			for j, name := range [...]string{ours, mbgnbd, recency} {
				m := trials[i].verdict.by[name]
				auc[j] += m.auc / float64(len(trials))
				logLoss[j] += m.logLoss / float64(len(trials))
			}
		}
		fmt.Fprintf(b, "%-10s  %8s  %8s %8s %8s  %8s %8s %8s\n", name, fmt.Sprintf("%d of %d", learned, len(trials)),
			fixed(auc[0], 4), fixed(auc[1], 4), fixed(auc[2], 4), fixed(logLoss[0], 4), fixed(logLoss[1], 4), fixed(logLoss[2], 4))
	}
	laws := byLaw(trials)
	for _, of := range laws {
		row(trials[of.from].law, trials[of.from:of.to])
	}
	if len(laws) > 1 {
		row("all", trials)
	}
}

// shopTable has a row a shop: dangol, and how it differs from the other one.
func shopTable(b *strings.Builder, trials []trial) {
	fmt.Fprintf(b, "%-13s %-8s %-9s  %8s %10s  %8s %10s\n", "shop", "answered", "the other", "log-loss", "difference", "AUC", "difference")
	for i := range trials {
		t := &trials[i]
		a, o := t.verdict.by[ours], t.against.by[ours]
		fmt.Fprintf(b, "%-13s %-8s %-9s  %8s %10s  %8s %10s\n", t.shop(), answered(&t.verdict), answered(t.against),
			fixed(a.logLoss, 4), signed(a.logLoss-o.logLoss), fixed(a.auc, 4), signed(a.auc-o.auc))
	}
}

func pairedRow(b *strings.Builder, name string, p paired) {
	fmt.Fprintf(b, "%-12s  %9s %9s %9s  %9s %9s %9s  %6d %6d %6d\n", name,
		signed(p.logLoss.mean), fixed(p.logLoss.overShops, 5), fixed(p.logLoss.overLaws, 5),
		signed(p.auc.mean), fixed(p.auc.overShops, 5), fixed(p.auc.overLaws, 5), p.better, p.worse, p.same)
}

func answered(v *verdict) string {
	if v.learned {
		return "learned"
	}
	return "rhythm"
}

// fixed writes v with so many decimals; – where it is not known.
func fixed(v float64, decimals int) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// signed writes a difference, always with its sign but for 0.
func signed(v float64) string {
	s := fixed(math.Abs(v), 5)
	switch {
	case math.IsNaN(v) || strings.Trim(s, "0.") == "":
		return s
	case v < 0:
		return "−" + s
	}
	return "+" + s
}
