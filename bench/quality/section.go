package quality

import "fmt"

// sections are the findings that there are numbers for.
func (r *Report) sections() []section {
	var out []section
	if r.judged() {
		if r.Churn[0].RankOnly {
			out = append(out, r.sectionTenths(), r.sectionGains())
		} else {
			out = append(out, r.sectionTenths(), r.sectionReliability(), r.sectionGains())
		}
	}
	if r.Orders.known() || r.Value.known() {
		out = append(out, r.sectionAmounts())
	}
	if len(r.Segments)+len(r.Stages) > 0 {
		out = append(out, r.sectionGroups())
	}
	if r.NextBest != nil && len(r.NextBest.Models) > 0 {
		out = append(out, r.NextBest.section())
	}
	if r.NextView != nil {
		out = append(out, r.NextView.section())
	}
	return out
}

func (r *Report) sectionTenths() section {
	j := &r.Churn[0]
	s := section{
		Heading: headTenths(j),
		Lead:    fmt.Sprintf("Customers are ranked by the churn risk that %s predicted at the cut, then cut into ten groups. A useful score falls steeply from left to right.", j.Name),
		Legend:  []key{{"bar", "c0", "left"}, {"whisker", "ink", "95 % interval"}},
		Figures: []figure{{Plot: churnBars(j), Caption: "How to read it: each bar is a tenth of the customers; its height is how many of 100 left. The thin line shows how far chance may have moved it."}},
		Beside:  j.tenthTable(),
	}
	if !j.RankOnly {
		s.Legend = append(s.Legend, key{"level", "c1", "predicted"})
	}
	s.Legend = append(s.Legend, key{"dash", "", "average, " + percent(j.Base, 0)})
	return s
}

func (r *Report) sectionReliability() section {
	var of []*Judged
	for i := range r.Churn {
		if !r.Churn[i].RankOnly {
			of = append(of, &r.Churn[i])
		}
	}
	lo, hi := span(of)
	s := section{
		Heading: headReliability(of[0]),
		Lead:    "A probability is worth its name if, of all customers given 80 %, about 80 of 100 leave.",
		Legend:  []key{{"dot", "c0", of[0].Name}, {"whisker", "c0", "95 % interval"}, {"dash", "", "predicted = actual"}},
	}
	for i, j := range of {
		small := i > 0 && len(of) > 2 // two are shown side by side
		f := figure{Title: j.Name + ", off by " + points(j.ECE), Plot: reliability(j, style(min(i, 1)), lo, hi, small)}
		if small {
			f.Size = "small"
		}
		if i == 0 {
			if len(of) > 2 {
				f.Size = "big"
			}
			f.Caption = "How to read it: each dot is a tenth of the customers. On the diagonal, as many left as predicted; above it more left than predicted, below it fewer."
		}
		s.Figures = append(s.Figures, f)
	}
	if len(of) > 1 {
		s.Legend = append(s.Legend, key{"dot", "c1", "for comparison"})
	}
	return s
}

func (r *Report) sectionGains() section {
	j := &r.Churn[0]
	s := section{
		Heading: r.headVersus(),
		Lead:    headGains(j) + ". " + leadGains(j),
		Figures: []figure{
			{Title: "Cumulative gains", Plot: gains(r.Churn), Caption: "How to read it: if you write to the riskiest part of the customers (across), you reach that part of all who left (up). The dashed line is choosing blindly; the thin line is the best that is possible."},
			{Title: "Lift", Plot: lifts(r.Churn), Caption: "How to read it: among the riskiest part of the customers (across), leaving is so many times more frequent than on average (up). Higher is better; the dashed line is choosing blindly."},
		},
		Tables: []*table{r.churnTable()},
	}
	if j.Base > 0.5 && j.Base < 1 {
		s.Lead += " Where most customers leave, the other end tells more: who are the few that stay?"
		s.Figures = append(s.Figures, figure{Title: "The other end: those who stay", Plot: stays(r.Churn), Caption: "How to read it: the safest part of the customers (across) holds that part of all who stayed (up)."})
		s.Beside = r.capturedTable()
	} else {
		s.Tables = append(s.Tables, r.capturedTable())
	}
	for i := range r.Churn {
		s.Legend = append(s.Legend, key{"line", style(i), r.Churn[i].Name})
	}
	s.Legend = append(s.Legend, key{"dash", "", "choosing blindly"}, key{"limit", "", "best possible"})
	return s
}

func (r *Report) sectionAmounts() section {
	s := section{
		Heading: r.headAmounts(),
		Lead:    "Customers are ranked by what was predicted for them. Where both bars have the same height, a plan made with the prediction comes out right.",
		Legend:  []key{{"bar", "c1", "predicted"}, {"bar", "c0", "actual"}},
	}
	add := func(f *Forecasts, title, what string, write func(float64) string) {
		if f.known() {
			s.Figures = append(s.Figures, figure{Title: title, Plot: amountBars(f, what, write),
				Caption: fmt.Sprintf("How to read it: each pair of bars is a tenth of the customers, those with the highest prediction first; their height is the mean %s of a customer %s.", what, r.Data.ahead())})
			s.Tables = append(s.Tables, f.table(title, what, write), f.tenthTable(title+" a customer, by tenth", write))
		}
	}
	spend := "spend"
	if r.Data.Currency != "" {
		spend += " in " + r.Data.Currency
	}
	add(&r.Orders, "Orders", "orders", orders)
	add(&r.Value, "Spend", spend, amount)
	return s
}

func (r *Report) sectionGroups() section {
	s := section{
		Heading: r.headGroups(),
		Lead:    "Segments compare a customer with all others, stages with its own habit. Both are judged here by how many left.",
		Legend:  []key{{"diamond", "c1", "predicted"}, {"dot", "c0", "left"}},
	}
	add := func(title, what string, of []Group) {
		if len(of) > 0 {
			s.Figures = append(s.Figures, figure{Title: title, Plot: dumbbells(what, of),
				Caption: "How to read it: the further right, the more left. The shorter the line between the two marks, the better the prediction; small groups move by chance."})
			s.Tables = append(s.Tables, groupTable(title, what, of))
		}
	}
	add("Segments", "segment", r.Segments)
	add("Stages", "stage", r.Stages)
	return s
}

func (n *NextBest) section() section {
	s := section{
		Heading: n.headOffers(),
		Lead:    fmt.Sprintf("For each of %s customers who ordered again, ten items were picked at the cut. What they then bought says whether the offers were any good.", count(n.Users)),
		Legend:  []key{{"bar", "c0", "customers with at least one hit among ten offers, %"}, {"bar", "c1", "recall@10: part of the items bought, %"}},
		Tables:  []*table{n.table()},
	}
	top := n.highest()
	for _, k := range []struct {
		title, items, caption string
		pick                  func(*Recommender) Hits
	}{
		{"All items", "all", "How to read it: the longer the bars, the more of what was bought had been offered.", func(m *Recommender) Hits { return m.All }},
		{"New items", "new", "Items that the customer had never bought: the hard part, and what a cross-sell is for.", func(m *Recommender) Hits { return m.New }},
		{"Repeat items", "repeat", "Items that the customer had bought before: reminders.", func(m *Recommender) Hits { return m.Repeat }},
	} {
		s.Figures = append(s.Figures, figure{Title: k.title, Plot: offerBars(k.items, n.Models, k.pick, top), Caption: k.caption, Size: "third"})
	}
	return s
}
