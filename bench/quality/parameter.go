package quality

// parameterTable is what was fitted.
func (r *Report) parameterTable() *table {
	t := &table{Title: "Parameters", Head: []string{"parameter", "value"}}
	add := func(name, value string) { t.Rows = append(t.Rows, []string{name, value}) }
	h := &r.Models.Rhythm
	add("rhythm: r", fixed(h.R, 4))
	add("rhythm: α, days", fixed(h.AlphaDays, 3))
	add("rhythm: a", fixed(h.A, 4))
	add("rhythm: b", fixed(h.B, 4))
	add("rhythm: log-likelihood", fixed(h.LogLikelihood, 1))
	for _, w := range h.Weights {
		if w.Share >= 0.0005 {
			add("rhythm: share of k = "+count(w.K), percent(w.Share, 2))
		}
	}
	if s := r.Models.Spend; s != (Spend{}) {
		add("spend: p", fixed(s.P, 4))
		add("spend: q", fixed(s.Q, 4))
		add("spend: v", fixed(s.V, 4))
	}
	c := &r.Models.Churn
	if c.Answered != "" {
		add("churn: answered by", c.Answered+" model")
	}
	add("churn: outcomes learned from", count(c.Labels))
	return t
}

// termTable is the learned sum.
func (r *Report) termTable() *table {
	t := &table{Title: "Terms of the learned churn model", Head: []string{"term", "weight"}}
	for _, m := range r.Models.Churn.Terms {
		name := plain(m.Name)
		if m.Text != "" {
			name += ": " + m.Text
		}
		t.Rows = append(t.Rows, []string{name, fixed(m.Weight, 3)})
	}
	return t
}
