package nextbest

import (
	"math"

	"github.com/dangol-dev/dangol/engine/score"
)

const rounds = 50 // of the EM algorithm

// mixture finds the shares of the voices under which what was bought is likeliest
// among the candidates of its list, each list counting once: the weights of a
// mixture of known distributions, by EM, whose likelihood is concave. What is
// built in stands for so many lists more. A voice that is silent in a list says
// nothing for or against itself there.
func mixture(lessons []Lesson) [score.NumVoices]float64 {
	prior := score.BuiltInOffers().Mix
	shares := prior
	for range rounds {
		var sums [score.NumVoices]float64
		for v, w := range prior {
			sums[v] = w * believedLists
		}
		for i := range lessons {
			expect(&lessons[i], &shares, &sums)
		}
		total := 0.
		for _, s := range sums {
			total += s
		}
		for v := range shares {
			shares[v] = sums[v] / total
		}
	}
	return shares
}

// expect adds to sums by which voices the items bought of a list were named.
func expect(l *Lesson, shares, sums *[score.NumVoices]float64) {
	n := 0.
	for i := range l.Examples {
		if e := &l.Examples[i]; e.Bought && !e.Again {
			n++
		}
	}
	for i := range l.Examples {
		e := &l.Examples[i]
		if !e.Bought || e.Again {
			continue
		}
		whole := 0.
		for v, w := range shares {
			whole += w * float64(e.Voices[v])
		}
		if whole == 0 {
			continue
		}
		silent := 0. // what the silent ones would have had stays theirs
		for v, w := range shares {
			if l.Sums[v] == 0 {
				silent += w
				sums[v] += w / n
			}
		}
		for v, w := range shares {
			sums[v] += (1 - silent) * w * float64(e.Voices[v]) / whole / n
		}
	}
}

// logMix is the log of the mixture of an example's voices.
func logMix(l *Lesson, e *Example, shares *[score.NumVoices]float64) float64 {
	var v voices
	for i, w := range e.Voices {
		v[i] = float64(w)
	}
	return math.Log(v.mix(shares, &l.Sums) + leastMix)
}
