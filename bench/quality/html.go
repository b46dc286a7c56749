package quality

import (
	"embed"
	"html/template"
	"io"
	"strings"
)

//go:embed report.html.tmpl style.css
var files embed.FS

// page is what the template shows.
type page struct {
	Title, Line string
	Style       template.CSS
	Tiles       []tile
	Findings    []string
	Sections    []section
	Glossary    []entry
	Technical   []*table
	Data        *Data
}

// tile is a key figure.
type tile struct{ Figure, Text string }

// section is a finding with the plots that show it.
type section struct {
	Heading, Lead string
	Legend        []key
	Figures       []figure
	Beside        *table   // next to the figures
	Tables        []*table // to unfold
}

// key is an entry of a legend: the class of a line, a mark or a bar.
type key struct {
	Kind, Class, Text string
}

type figure struct {
	Title   string // above the plot; "" where the heading says it
	Plot    template.HTML
	Caption string
	Size    string // "", "big" (beside small ones), "small" or "third"
}

// WriteHTML writes the report as one HTML file without scripts or anything to
// load: it can be sent, printed and kept.
func (r *Report) WriteHTML(w io.Writer) error {
	t, err := template.New("report.html.tmpl").Funcs(template.FuncMap{"keep": keep}).ParseFS(files, "report.html.tmpl")
	if err != nil {
		return err
	}
	css, err := files.ReadFile("style.css")
	if err != nil {
		return err
	}
	p := page{
		Title: r.title(), Line: r.Data.line(), Style: template.CSS(css), Data: &r.Data,
		Tiles: r.tiles(), Findings: r.findings(), Sections: r.sections(), Glossary: glossary(),
		Technical: []*table{r.parameterTable()},
	}
	if len(r.Models.Churn.Terms) > 0 {
		p.Technical = append(p.Technical, r.termTable())
	}
	return t.Execute(w, &p)
}

// keep keeps a number and its unit on one line.
func keep(s string) string {
	return strings.NewReplacer(" %", "\u00a0%", " points", "\u00a0points", " of 100", "\u00a0of\u00a0100").Replace(s)
}

func (r *Report) tiles() []tile {
	d := &r.Data
	out := []tile{{count(d.Buyers), "customers judged"}}
	if d.Buyers > 0 {
		out = append(out, tile{percent(d.BaseRate, 1), "did not order " + d.ahead()})
	}
	if !r.judged() {
		return out
	}
	j := &r.Churn[0]
	if finite(j.AUC) && j.mixed() {
		out = append(out, tile{ofHundred(j.AUC) + " of 100", "pairs of one who left and one who stayed were ranked right (AUC " + fixed(j.AUC, 3) + "; a coin: 50)"})
	}
	if !j.RankOnly && finite(j.ECE) {
		out = append(out, tile{"± " + points(j.ECE), "average error of a predicted probability"})
	}
	return out
}
