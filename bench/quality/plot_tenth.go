package quality

import (
	"fmt"
	"html/template"
)

// churnBars plots the churn rate of each tenth, beside what was predicted.
func churnBars(j *Judged) template.HTML {
	top, d := 0.0, j.tenths()
	for _, b := range d {
		for _, v := range []float64{b.Rate, b.High, b.Mean} {
			if b.N > 0 && finite(v) {
				top = max(top, v)
			}
		}
	}
	top = min(1, ceiling(top))
	p := newPlot(440, 340, 40, 44, 10, 46)
	p.domain(0, 10, 0, top)
	p.yAxis(ticks(0, top, 5), hundredths, "left, %")
	p.text("name", "middle", (p.left+p.right)/2, p.bottom+36, "tenth of the customers, 1 = the riskiest")
	for i, b := range d {
		x := p.x.at(float64(i) + 0.5)
		p.text("tick", "middle", x, p.bottom+16, count(i+1))
		if y := p.y.at(b.Rate); b.N > 0 {
			p.rect("c0 bar", x-13, y, 26, p.bottom-y, tenthTip(i, b))
		}
	}
	p.line("ideal", p.left, p.y.at(j.Base), p.right, p.y.at(j.Base))
	for i, b := range d {
		if b.N > 0 && finite(b.Rate) {
			p.barMarks(p.x.at(float64(i)+0.5), b, !j.RankOnly)
		}
	}
	return p.svg(fmt.Sprintf("Churn rate by tenth of predicted risk with %s; the average is %s.", j.Name, percent(j.Base, 0)))
}

// nearly labels a rate in per cent, with a decimal where it would else pass for
// none or for all.
func nearly(v float64) string {
	if s := hundredths(v); (s != "0" || v == 0) && (s != "100" || v == 1) {
		return s
	}
	return fixed(100*v, 1)
}

// barMarks draws the interval, the prediction and the number of a bar, the
// number above all of them.
func (p *plot) barMarks(x float64, b Bin, predicted bool) {
	top := p.y.at(b.Rate)
	low, high, mean := p.y.at(b.Low), p.y.at(b.High), p.y.at(b.Mean)
	if predicted && drawable(mean) {
		p.line("halo", x-17, mean, x+17, mean)
		p.line("c1 level", x-17, mean, x+17, mean)
		top = min(top, mean)
	}
	if drawable(low, high) {
		p.line("halo", x, low, x, high)
		p.line("whisker ink", x, low, x, high)
		top = min(top, high)
	}
	p.text("value", "middle", x, top-7, nearly(b.Rate))
}
