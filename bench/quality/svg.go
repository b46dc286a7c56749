package quality

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// plot is a chart under construction: an inline SVG of a size in user units
// (pixels at its natural size), whose colours are classes of the page's style.
// What is not finite is left out, so that no NaN reaches a browser.
type plot struct {
	b                        strings.Builder
	w, h                     float64
	left, top, right, bottom float64 // the data's rectangle
	x, y                     scale
}

// scale maps values to user units.
type scale struct{ lo, hi, from, to float64 }

func (s scale) at(v float64) float64 {
	if s.hi == s.lo {
		return s.from
	}
	return s.from + (v-s.lo)/(s.hi-s.lo)*(s.to-s.from)
}

// newPlot has margins left, top, right and bottom around its data; domains are
// set with domain.
func newPlot(w, h, left, top, right, bottom float64) *plot {
	return &plot{w: w, h: h, left: left, top: top, right: w - right, bottom: h - bottom}
}

// domain sets the values at the edges of the data's rectangle.
func (p *plot) domain(x0, x1, y0, y1 float64) {
	p.x = scale{x0, x1, p.left, p.right}
	p.y = scale{y0, y1, p.bottom, p.top}
}

// ticks are at most about n round values (1, 2 or 5 times a power of ten apart)
// from lo to hi; none where there is no room for any.
func ticks(lo, hi float64, n int) []float64 {
	if !finite(lo) || !finite(hi) || !finite(hi-lo) || hi <= lo {
		return nil
	}
	raw := (hi - lo) / float64(n)
	unit := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * unit
	for _, m := range []float64{1, 2, 5} {
		if m*unit >= raw*0.999 {
			step = m * unit
			break
		}
	}
	if !finite(step) || step <= 0 {
		return nil
	}
	first := math.Ceil(lo/step - 1e-6)
	var out []float64
	for i := range n + 2 {
		if v := (first + float64(i)) * step; v <= hi+step*1e-6 {
			out = append(out, v)
		}
	}
	return out
}

// ceiling is the round value at or above v where an axis from nought may end.
func ceiling(v float64) float64 {
	if !finite(v) || v <= 0 {
		return 1
	}
	t := ticks(0, v, 5)
	if len(t) < 2 {
		return v
	}
	step := t[1] - t[0]
	if c := math.Ceil(v/step-1e-6) * step; finite(c) {
		return c
	}
	return v
}

// u writes user units.
func u(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// drawable reports whether all of v can be drawn.
func drawable(v ...float64) bool {
	for _, v := range v {
		if !(math.Abs(v) < 1e5) {
			return false
		}
	}
	return true
}

// tip is the title of an element: a tooltip.
func tip(s string) string {
	if s == "" {
		return ""
	}
	return "<title>" + html.EscapeString(s) + "</title>"
}

func (p *plot) line(class string, x1, y1, x2, y2 float64) {
	if drawable(x1, y1, x2, y2) {
		fmt.Fprintf(&p.b, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, u(x1), u(y1), u(x2), u(y2))
	}
}

func (p *plot) rect(class string, x, y, w, h float64, title string) {
	if drawable(x, y, w, h) && w > 0 && h >= 0 {
		fmt.Fprintf(&p.b, `<rect class="%s" x="%s" y="%s" width="%s" height="%s" rx="1.5">%s</rect>`, class, u(x), u(y), u(w), u(h), tip(title))
	}
}

func (p *plot) dot(class string, x, y, r float64, title string) {
	if drawable(x, y, r) {
		fmt.Fprintf(&p.b, `<circle class="%s" cx="%s" cy="%s" r="%s">%s</circle>`, class, u(x), u(y), u(r), tip(title))
	}
}

func (p *plot) diamond(class string, x, y, r float64, title string) {
	if drawable(x, y, r) {
		fmt.Fprintf(&p.b, `<path class="%s" d="M%s %sL%s %sL%s %sL%s %sZ">%s</path>`, class,
			u(x-r), u(y), u(x), u(y-r), u(x+r), u(y), u(x), u(y+r), tip(title))
	}
}

// curve joins points given as x, y, x, y …; a gap is where one cannot be drawn.
func (p *plot) curve(class string, xy []float64, title string) {
	var d strings.Builder
	pen := byte('M')
	for i := 0; i+1 < len(xy); i += 2 {
		if !drawable(xy[i], xy[i+1]) {
			pen = 'M'
			continue
		}
		d.WriteByte(pen)
		d.WriteString(u(xy[i]) + " " + u(xy[i+1]))
		pen = 'L'
	}
	if d.Len() > 0 {
		fmt.Fprintf(&p.b, `<path class="%s" d="%s">%s</path>`, class, d.String(), tip(title))
	}
}

// text is anchored at start, middle or end.
func (p *plot) text(class, anchor string, x, y float64, s string) {
	if drawable(x, y) && s != "" {
		fmt.Fprintf(&p.b, `<text class="%s" text-anchor="%s" x="%s" y="%s">%s</text>`, class, anchor, u(x), u(y), html.EscapeString(s))
	}
}

// xAxis draws grid lines and labels below, and the axis' name.
func (p *plot) xAxis(at []float64, label func(float64) string, name string) {
	for _, v := range at {
		x := p.x.at(v)
		p.line("grid", x, p.top, x, p.bottom)
		p.text("tick", "middle", x, p.bottom+16, label(v))
	}
	p.text("name", "middle", (p.left+p.right)/2, p.bottom+36, name)
}

// yAxis draws grid lines and labels at the left, and the axis' name on top.
func (p *plot) yAxis(at []float64, label func(float64) string, name string) {
	for _, v := range at {
		y := p.y.at(v)
		p.line("grid", p.left, y, p.right, y)
		p.text("tick", "end", p.left-6, y+4, label(v))
	}
	p.text("name", "start", 0, 12, name)
}

// svg ends the chart. The label is what a screen reader says instead of it.
func (p *plot) svg(label string) template.HTML {
	l := html.EscapeString(label)
	return template.HTML(fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="%s" viewBox="0 0 %s %s" width="%s" height="%s">%s</svg>`,
		l, u(p.w), u(p.h), u(p.w), u(p.h), p.b.String()))
}

// hundredths labels a share in per cent.
func hundredths(v float64) string { return fixed(100*v, 0) }
