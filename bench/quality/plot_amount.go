package quality

import (
	"fmt"
	"html/template"
	"math"
	"unicode/utf8"
)

// amountBars plots what was predicted for each tenth beside what came.
func amountBars(f *Forecasts, what string, write func(float64) string) template.HTML {
	d, top := f.tenths(), 0.0
	for _, v := range d {
		for _, v := range []float64{v.Predicted, v.Actual} {
			if finite(v) {
				top = max(top, v)
			}
		}
	}
	top = ceiling(top)
	p := newPlot(440, 300, 46, 28, 8, 46)
	p.domain(0, 10, 0, top)
	p.yAxis(ticks(0, top, 5), axisLabel(top), what+" a customer")
	p.text("name", "middle", (p.left+p.right)/2, p.bottom+36, "tenth of the customers, 1 = highest prediction")
	for i, v := range d {
		x := p.x.at(float64(i) + 0.5)
		p.text("tick", "middle", x, p.bottom+16, count(i+1))
		title := fmt.Sprintf("tenth %d: %s predicted, %s came", i+1, write(v.Predicted), write(v.Actual))
		if finite(v.Predicted) {
			y := p.y.at(max(0, v.Predicted))
			p.rect("c1 bar", x-14.5, y, 14, p.bottom-y, title)
		}
		if finite(v.Actual) {
			y := p.y.at(max(0, v.Actual))
			p.rect("c0 bar", x+0.5, y, 14, p.bottom-y, title)
		}
	}
	return p.svg(fmt.Sprintf("Predicted and actual %s a customer, by tenth of the prediction; in the highest tenth %s predicted and %s came.",
		what, write(d[0].Predicted), write(d[0].Actual)))
}

// axisLabel writes the values of an axis that ends at top, all with the same
// decimals.
func axisLabel(top float64) func(float64) string {
	decimals := 0
	if top < 10 {
		decimals = 1
	}
	if top < 1 {
		decimals = 2
	}
	return func(v float64) string {
		switch {
		case v == 0:
			return "0"
		case top >= 1e15:
			return fixed(v, 0)
		case top >= 1e4:
			return amount(v)
		}
		return fixed(v, decimals)
	}
}

// dumbbells plots predicted and actual churn of each group on a line of its own.
func dumbbells(what string, of []Group) template.HTML {
	const row, widest = 26.0, 22
	chars := 0
	for _, g := range of {
		chars = max(chars, utf8.RuneCountInString(clip(plain(g.Name), widest)))
	}
	left := 12 + 7.4*float64(chars)
	p := newPlot(440, 70+row*float64(len(of)), left, 26, 52, 44)
	p.domain(0, 1, 0, float64(len(of)))
	p.xAxis(ticks(0, 1, 5), hundredths, "churn, %")
	p.text("name", "start", 0, 12, what)
	p.text("name", "end", p.w, 12, "customers")
	for i, g := range of {
		y := p.top + row*(float64(i)+0.5)
		p.text("label", "start", 0, y+4, clip(plain(g.Name), widest))
		p.text("tick", "end", p.w, y+4, count(g.Customers))
		title := fmt.Sprintf("%s: %s predicted, %s left", plain(g.Name), percent(g.PredictedChurn, 1), percent(g.ActualChurn, 1))
		x1, x2 := p.x.at(g.PredictedChurn), p.x.at(g.ActualChurn)
		p.line("grid", p.left, y, p.right, y)
		p.line("c0 bridge", x1, y, x2, y)
		p.diamond("c1 mark", x1, y, 6, title)
		p.dot("c0 dot", x2, y, 5, title)
	}
	return p.svg(fmt.Sprintf("Predicted and actual churn of %d %ss.", len(of), what))
}

// clip shortens s to n runes.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// offerBars plots, for one kind of items, the share of customers with a hit and
// the recall of each recommender.
func offerBars(items string, of []Recommender, pick func(*Recommender) Hits, top float64) template.HTML {
	const row = 54.0
	p := newPlot(320, 46+row*float64(len(of)), 0, 4, 44, 42)
	p.domain(0, top, 0, 1)
	p.xAxis(ticks(0, top, 4), hundredths, "%")
	for i := range of {
		h := pick(&of[i])
		y := p.top + row*float64(i)
		p.text("label", "start", 0, y+14, clip(of[i].Name, 36))
		for k, v := range []float64{h.PHR10, h.Recall10} {
			if !finite(v) {
				continue
			}
			class, name := "c0 bar", "customers with a hit among ten offers"
			if k == 1 {
				class, name = "c1 bar", "recall@10"
			}
			at := y + 20 + 14*float64(k)
			p.rect(class, p.left, at, p.x.at(max(0, v))-p.left, 12, of[i].Name+", "+items+" items: "+name+" "+percent(v, 1))
			p.text("value", "start", p.x.at(max(0, v))+5, at+10.5, fixed(100*v, 1))
		}
	}
	return p.svg(fmt.Sprintf("Hits among ten offers, %s items, for %d ways to choose them.", items, len(of)))
}

// highest is where the axis of all offer plots ends.
func (n *NextBest) highest() float64 {
	top := 0.0
	for _, m := range n.Models {
		for _, v := range []float64{m.All.PHR10, m.All.Recall10, m.New.PHR10, m.New.Recall10, m.Repeat.PHR10, m.Repeat.Recall10} {
			if finite(v) {
				top = max(top, v)
			}
		}
	}
	return math.Min(1, ceiling(top))
}
