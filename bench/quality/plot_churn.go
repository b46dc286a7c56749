package quality

import (
	"fmt"
	"html/template"
	"math"
)

// span is the range of all predicted and actual rates, in whole fifths.
func span(of []*Judged) (lo, hi float64) {
	lo, hi = 1, 0
	for _, j := range of {
		for _, b := range j.Deciles {
			for _, v := range []float64{b.Mean, b.Low, b.High} {
				if b.N > 0 && finite(v) {
					lo, hi = min(lo, v), max(hi, v)
				}
			}
		}
	}
	lo, hi = math.Floor(lo*5+1e-9)/5, math.Ceil(hi*5-1e-9)/5
	lo, hi = max(0, min(lo, 0.8)), min(1, max(hi, 0.2))
	if hi <= lo {
		return 0, 1
	}
	return lo, hi
}

// reliability plots predicted against actual rates of one model over a square
// domain. The small one has no names on its axes.
func reliability(j *Judged, class string, lo, hi float64, small bool) template.HTML {
	side, r := 440.0, 4.5
	p := newPlot(side, side, 40, 28, 14, 46)
	if small {
		side, r = 220, 3.5
		p = newPlot(side, side, 34, 10, 12, 26)
	}
	p.domain(lo, hi, lo, hi)
	n := 5
	x, y := "predicted to leave, %", "left, %"
	if small {
		n, x, y = 3, "", ""
	}
	t := ticks(lo, hi, n)
	p.xAxis(t, hundredths, x)
	p.yAxis(t, hundredths, y)
	p.line("ideal", p.left, p.bottom, p.right, p.top)
	for _, b := range j.tenths() {
		if b.N == 0 || !finite(b.Mean) {
			continue
		}
		x := p.x.at(b.Mean)
		p.line(class+" whisker", x, p.y.at(b.Low), x, p.y.at(b.High))
	}
	for i, b := range j.tenths() {
		if b.N > 0 {
			p.dot(class+" dot", p.x.at(b.Mean), p.y.at(b.Rate), r, tenthTip(i, b))
		}
	}
	return p.svg(fmt.Sprintf("Reliability of %s: predicted against actual churn for ten groups of customers; %s away from the diagonal on average.", j.Name, points(j.ECE)))
}

func tenthTip(i int, b Bin) string {
	return fmt.Sprintf("tenth %d: %s predicted, %s left (95 %% interval %s to %s), %s customers",
		i+1, percent(b.Mean, 1), percent(b.Rate, 1), fixed(100*b.Low, 1), percent(b.High, 1), count(b.N))
}

// style is the class of the i-th model: colour and dashes.
func style(i int) string { return fmt.Sprintf("c%d", i%4) }

// gains plots which part of all who left is found among the riskiest.
func gains(of []Judged) template.HTML {
	p := newGains("customers, the riskiest first, %", "part of all who left, %", of[0].Base)
	for i := len(of) - 1; i >= 0; i-- {
		p.gain(style(i), of[i].Captured, of[i].Name)
	}
	return p.svg(fmt.Sprintf("Cumulative gains of %d rankings: part of all who left among the riskiest customers. With %s, the riskiest fifth holds %s.",
		len(of), of[0].Name, percent(of[0].Captured[1], 0)))
}

// newGains has axes, the line of blind choice, and the line that no ranking can
// be above, where such is the share of those looked for.
func newGains(x, y string, share float64) *plot {
	p := newPlot(440, 340, 40, 28, 14, 46)
	p.domain(0, 1, 0, 1)
	p.xAxis(ticks(0, 1, 5), hundredths, x)
	p.yAxis(ticks(0, 1, 5), hundredths, y)
	p.line("ideal", p.left, p.bottom, p.right, p.top)
	if share > 0 && share < 1 {
		p.curve("limit", []float64{p.left, p.bottom, p.x.at(share), p.top, p.right, p.top}, "no ranking can be above this line")
	}
	return p
}

func (p *plot) gain(class string, part [10]float64, name string) {
	xy := []float64{p.left, p.bottom}
	for k, v := range part {
		xy = append(xy, p.x.at(float64(k+1)/10), p.y.at(v))
	}
	p.curve(class+" curve", xy, name)
}

// lifts plots how many times the average the riskiest leave.
func lifts(of []Judged) template.HTML {
	lo, hi := 1.0, 1.0
	for i := range of {
		for _, v := range of[i].Lift {
			if finite(v) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	step := 0.1
	if t := ticks(lo, hi, 5); len(t) > 1 {
		step = t[1] - t[0]
	}
	lo, hi = math.Floor(lo/step+1e-6)*step, math.Ceil(hi/step-1e-6)*step
	if hi <= lo {
		hi = lo + step
	}
	p := newPlot(440, 340, 44, 28, 14, 46)
	p.domain(0.1, 1, lo, hi)
	p.xAxis(ticks(0.1, 1, 5), hundredths, "customers, the riskiest first, %")
	p.yAxis(ticks(lo, hi, 5), short2, "times the average")
	p.line("ideal", p.left, p.y.at(1), p.right, p.y.at(1))
	for i := len(of) - 1; i >= 0; i-- {
		var xy []float64
		for k, v := range of[i].Lift {
			xy = append(xy, p.x.at(float64(k+1)/10), p.y.at(v))
		}
		p.curve(style(i)+" curve", xy, of[i].Name)
	}
	return p.svg(fmt.Sprintf("Lift of %d rankings by share of customers. Among the riskiest tenth of %s it is %s.", len(of), of[0].Name, fixed(of[0].Lift[0], 2)))
}

// stayed turns gains round: which part of all who stayed is found among the
// safest i+1 tenths.
func (j *Judged) stayed() (part [10]float64) {
	for i := range part {
		rest := 9 - i // tenths that are riskier
		stay := float64(rest) / 10
		if rest > 0 {
			stay -= j.Captured[rest-1] * j.Base
		}
		part[i] = 1 - stay/(1-j.Base)
	}
	return part
}

// stays plots which part of all who stayed is found among the safest.
func stays(of []Judged) template.HTML {
	p := newGains("customers, the safest first, %", "part of all who stayed, %", 1-of[0].Base)
	for i := len(of) - 1; i >= 0; i-- {
		p.gain(style(i), of[i].stayed(), of[i].Name)
	}
	return p.svg(fmt.Sprintf("Cumulative gains of %d rankings at the other end: part of all who stayed among the safest customers. With %s, the safest fifth holds %s.",
		len(of), of[0].Name, percent(of[0].stayed()[1], 0)))
}

// short2 writes a ratio with at most two decimals.
func short2(v float64) string {
	if s := fixed(v, 2); len(s) < 8 {
		return s
	}
	return amount(v)
}
