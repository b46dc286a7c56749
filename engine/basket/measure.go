package basket

import "math"

// Table2 is what is counted of two items, or two sets of items, A and B: in how
// many of all N baskets (orders, steps, customers) both are, and each.
type Table2 struct {
	Both, A, B, N float64
}

// Support is the share of all baskets that hold both (Agrawal and Srikant 1994).
func (t Table2) Support() float64 { return t.Both / t.N }

// Confidence is the share of the baskets with A that hold B.
func (t Table2) Confidence() float64 { return t.Both / t.A }

// Lift is how many times as often B is in the baskets with A as in all: 1 where
// A makes no difference (Brin, Motwani, Ullman and Tsur 1997).
func (t Table2) Lift() float64 { return t.Both * t.N / (t.A * t.B) }

// Leverage is Support less what it would be if A and B had nothing to do with
// each other (Piatetsky-Shapiro 1991).
func (t Table2) Leverage() float64 { return t.Both/t.N - t.A/t.N*t.B/t.N }

// Conviction is how many times as often A would be without B if they had nothing
// to do with each other as it is; +∞ where A never is (Brin et al. 1997).
func (t Table2) Conviction() float64 {
	without := t.A - t.Both
	if without <= 0 {
		return math.Inf(1)
	}
	return (1 - t.B/t.N) * t.A / without
}

// Cosine is Both over the geometric mean of A and B.
func (t Table2) Cosine() float64 { return t.Both / math.Sqrt(t.A*t.B) }

// LLR is the log-likelihood ratio of the 2×2 table, G² (Dunning 1993): were A and
// B independent, it would be χ² distributed with one degree of freedom.
func (t Table2) LLR() float64 {
	term := func(k, row, column float64) float64 {
		if k <= 0 {
			return 0
		}
		return k * math.Log(k*t.N/(row*column))
	}
	notA, notB := t.N-t.A, t.N-t.B
	g := term(t.Both, t.A, t.B) + term(t.A-t.Both, t.A, notB) + term(t.B-t.Both, notA, t.B) + term(notB-t.A+t.Both, notA, notB)
	return max(0, 2*g)
}

// Chance is the probability of so large an LLR where A and B are independent.
func (t Table2) Chance() float64 { return math.Erfc(math.Sqrt(t.LLR() / 2)) }

// Strength is how much more often B is in the baskets of A than in any, as a
// share of baskets (the "added value" of a rule), with confidence drawn towards
// B's share as if prior baskets had been seen beforehand in which A made no
// difference. So three orders out of three say little, three hundred out of three
// hundred all there is; popular items gain nothing from being popular, nor rare
// ones from being rare, as they would ranked by confidence or by lift. Below 0:
// A counts against B.
//
//	(Both + prior·B/N) / (A + prior) − B/N  =  A/(A+prior) · (Both/A − B/N)
func (t Table2) Strength(prior float64) float64 {
	if t.A <= 0 || t.N <= 0 {
		return 0
	}
	return t.A / (t.A + prior) * (t.Both/t.A - t.B/t.N)
}

// sound says whether the counts can be of baskets: counts below zero are of rows
// taken away before they were added, and directed kinds may hold one item twice.
func (t Table2) sound() bool { return t.Both > 0 && t.A >= t.Both && t.B >= t.Both && t.N >= t.A }
