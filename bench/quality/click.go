package quality

import "fmt"

// NextView is how well the next item looked at in a session was foretold.
type NextView struct {
	Views  int       `json:"views"` // looks after the first of a session, at items known at the cut
	Models []Clicker `json:"models"`
}

// Clicker is one way to foretell the next look. Its list has twenty items.
type Clicker struct {
	Name  string  `json:"name"`
	HR20  float64 `json:"hr_20"`  // share of looks whose item was on the list
	MRR20 float64 `json:"mrr_20"` // mean of 1 ÷ its place, 0 where it was not
}

// Look adds one prediction: the place of the item then looked at on the list of
// each model, from 1; 0 where it was not.
func (n *NextView) Look(places ...int) {
	n.Views++
	for i, p := range places {
		if p > 0 {
			n.Models[i].HR20++
			n.Models[i].MRR20 += 1 / float64(p)
		}
	}
}

// Close turns the sums into means.
func (n *NextView) Close() {
	for i := range n.Models {
		n.Models[i].HR20 /= float64(n.Views)
		n.Models[i].MRR20 /= float64(n.Views)
	}
}

func (n *NextView) table() *table {
	t := &table{Title: "What was looked at next", words: 1, Head: []string{"foretold by", "HR@20", "MRR@20"}}
	for _, m := range n.Models {
		t.Rows = append(t.Rows, []string{m.Name, fixed(m.HR20, 4), fixed(m.MRR20, 4)})
	}
	return t
}

func (n *NextView) section() section {
	best := &n.Models[0]
	return section{
		Heading: fmt.Sprintf("%s of 100 next looks were among twenty items named beforehand", ofHundred(best.HR20)),
		Lead: fmt.Sprintf("After each of %s looks within sessions that came after the cut, twenty items were named by what was known at the cut. "+
			"HR@20 is how often the next look was at one of them, MRR@20 how far up on the list it stood.", count(n.Views)),
		Tables: []*table{n.table()},
	}
}
