package churn

import "math"

// share is what a bin holds of the ties.
type share struct {
	n                          int
	weight, square, p, churned float64
}

// take moves up to n outcomes of t into s and returns how many: of each kind
// as large a part as of the whole.
func (s *share) take(t *tie, n, left int) int {
	n = min(n, left)
	part := float64(n) / float64(t.n)
	s.n += n
	s.weight += part * t.weight
	s.square += part * t.square
	s.p += part * t.weight * t.p
	s.churned += part * t.churned
	return n
}

// calibration fills the deciles and what follows from them.
func (q *Quality) calibration(ties []tie) {
	var shares [10]share
	next, left := 0, ties[0].n
	for b := range shares {
		for want := (b+1)*q.N/10 - b*q.N/10; want > 0; {
			took := shares[b].take(&ties[next], want, left)
			want -= took
			if left -= took; left == 0 && next+1 < len(ties) {
				next++
				left = ties[next].n
			}
		}
	}
	total := 0.0
	for b, s := range shares {
		if s.n == 0 {
			continue
		}
		bin := Bin{N: s.n, Mean: s.p / s.weight, Rate: min(s.churned/s.weight, 1)}
		bin.Low, bin.High = Wilson(bin.Rate, s.weight*s.weight/s.square)
		q.Deciles[b] = bin
		gap := math.Abs(bin.Mean - bin.Rate)
		q.ECE += s.weight * gap
		total += s.weight
		if s.n >= enough {
			q.MaxGap = max(q.MaxGap, gap)
		}
	}
	q.ECE /= total
	q.lift(&shares, total)
}

func (q *Quality) lift(shares *[10]share, total float64) {
	all := 0.0
	for _, s := range shares {
		all += s.churned
	}
	if all == 0 {
		return
	}
	var churned, weight float64
	for k := range shares {
		s := shares[len(shares)-1-k]
		churned += s.churned
		weight += s.weight
		q.Caught[k] = min(churned/all, 1)
		if weight > 0 {
			q.Lift[k] = q.Caught[k] / (weight / total)
		}
	}
}

// Wilson is the 95 % interval of a rate seen in n independent outcomes (Wilson
// 1927); with weights n is (Σw)²/Σw². It is 0 to 1 for none.
func Wilson(rate, n float64) (low, high float64) {
	const z = 1.959963984540054
	if !(n > 0) {
		return 0, 1
	}
	mid := rate + z*z/(2*n)
	half := z * math.Sqrt(rate*(1-rate)/n+z*z/(4*n*n))
	scale := 1 + z*z/n
	return min(max((mid-half)/scale, 0), rate), max(min((mid+half)/scale, 1), rate)
}
