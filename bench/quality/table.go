package quality

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// table is rows of cells under a head. The first column is words, the others
// are numbers, unless more of them are words.
type table struct {
	Title string
	words int // columns of words, if more than one
	Head  []string
	Rows  [][]string
	best  map[int]int // row with the best value, by column
}

// Best reports whether a cell holds the best value of its column.
func (t *table) Best(row, column int) bool {
	i, ok := t.best[column]
	return ok && i == row
}

// Word reports whether a column holds words.
func (t *table) Word(column int) bool { return column < max(1, t.words) }

// mark finds the best of a column: the lowest value or the highest. Ties and
// single rows are no contest.
func (t *table) mark(column int, lowest bool, value func(row int) float64) {
	best, tie := -1, false
	for i := range t.Rows {
		v := value(i)
		if t.Rows[i][column] == unknown || !finite(v) {
			continue
		}
		switch {
		case best < 0 || v != value(best) && (v < value(best)) == lowest:
			best, tie = i, false
		case v == value(best):
			tie = true
		}
	}
	if best >= 0 && !tie && len(t.Rows) > 1 {
		if t.best == nil {
			t.best = map[int]int{}
		}
		t.best[column] = best
	}
}

// text writes the table in columns, indented by two.
func (t *table) text(b *strings.Builder) {
	width := make([]int, len(t.Head))
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		for i, c := range row {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		var line strings.Builder
		for i, c := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			if t.Word(i) {
				line.WriteString("  " + c + pad)
			} else {
				line.WriteString("  " + pad + c)
			}
		}
		fmt.Fprintln(b, strings.TrimRight(line.String(), " "))
	}
}

func (r *Report) churnTable() *table {
	t := &table{Title: "Who left", Head: []string{"ranked by", "AUC", "Brier", "log-loss", "off by", "top tenth", "bottom tenth", "lift"}}
	for i := range r.Churn {
		j := &r.Churn[i]
		row := []string{j.Name, fixed(j.AUC, 3), fixed(j.Brier, 4), fixed(j.LogLoss, 4), points(j.ECE), unknown, unknown, fixed(j.Lift[0], 2)}
		if j.RankOnly {
			row[2], row[3], row[4] = unknown, unknown, unknown
		}
		if top, bottom, ok := j.ends(); ok {
			row[5], row[6] = percent(top.Rate, 1), percent(bottom.Rate, 1)
		}
		t.Rows = append(t.Rows, row)
	}
	t.mark(1, false, func(i int) float64 { return r.Churn[i].AUC })
	t.mark(2, true, func(i int) float64 { return r.Churn[i].Brier })
	t.mark(3, true, func(i int) float64 { return r.Churn[i].LogLoss })
	t.mark(4, true, func(i int) float64 { return r.Churn[i].ECE })
	t.mark(7, false, func(i int) float64 { return r.Churn[i].Lift[0] })
	return t
}

func (j *Judged) tenthTable() *table {
	t := &table{Title: "Churn by tenth of " + j.Name + ", the riskiest first",
		Head: []string{"tenth", "customers", "predicted", "left", "95 % interval"}}
	for i, b := range j.tenths() {
		row := []string{count(i + 1), count(b.N), percent(b.Mean, 1), percent(b.Rate, 1),
			fixed(100*b.Low, 1) + " to " + percent(b.High, 1)}
		if b.N == 0 {
			row[2], row[3], row[4] = unknown, unknown, unknown
		} else if !finite(b.Low) || !finite(b.High) {
			row[4] = unknown
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// capturedTable is the plot of the gains in numbers.
func (r *Report) capturedTable() *table {
	t := &table{Title: "Part of all who left among the riskiest", Head: []string{"customers"}}
	for i := range r.Churn {
		t.Head = append(t.Head, r.Churn[i].Name)
	}
	for k := range 10 {
		row := []string{percent(float64(k+1)/10, 0)}
		for i := range r.Churn {
			row = append(row, percent(r.Churn[i].Captured[k], 1))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (f *Forecasts) table(title, what string, write func(float64) string) *table {
	t := &table{Title: title, Head: []string{what + " a customer", "predicted", "actual", "MAE", "RMSE"}}
	for _, m := range f.Models {
		t.Rows = append(t.Rows, []string{m.Name, write(m.MeanPredicted), write(m.MeanActual), write(m.MAE), write(m.RMSE)})
	}
	t.mark(1, true, func(i int) float64 { return math.Abs(f.Models[i].off()) })
	t.mark(3, true, func(i int) float64 { return f.Models[i].MAE })
	t.mark(4, true, func(i int) float64 { return f.Models[i].RMSE })
	return t
}

func (f *Forecasts) tenthTable(title string, write func(float64) string) *table {
	t := &table{Title: title, Head: []string{"tenth", "predicted", "actual"}}
	for i, p := range f.tenths() {
		t.Rows = append(t.Rows, []string{count(i + 1), write(p.Predicted), write(p.Actual)})
	}
	return t
}

func groupTable(title, what string, of []Group) *table {
	t := &table{Title: title, Head: []string{what, "customers", "predicted to leave", "left", "difference"}}
	for _, g := range of {
		t.Rows = append(t.Rows, []string{plain(g.Name), count(g.Customers), percent(g.PredictedChurn, 1), percent(g.ActualChurn, 1),
			points(g.PredictedChurn - g.ActualChurn)})
	}
	return t
}

func (n *NextBest) table() *table {
	t := &table{Title: "What was bought next", words: 2, Head: []string{"offers", "items", "recall@10", "NDCG@10", "hit@10", "recall@20", "NDCG@20", "hit@20"}}
	for _, m := range n.Models {
		for _, s := range []struct {
			items string
			Hits
		}{{"all", m.All}, {"new", m.New}, {"repeat", m.Repeat}} {
			t.Rows = append(t.Rows, []string{m.Name, s.items, fixed(s.Recall10, 3), fixed(s.NDCG10, 3), percent(s.PHR10, 1),
				fixed(s.Recall20, 3), fixed(s.NDCG20, 3), percent(s.PHR20, 1)})
		}
	}
	return t
}
