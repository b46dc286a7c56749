package main

import (
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/dangol-dev/dangol/engine/event"
)

// horizon is how many days after T the customers are watched.
const horizon = 90

// shop is one drawing of a law: its calendar and its chance. Instants are in
// days since it opened.
type shop struct {
	rng     *rand.Rand
	opened  time.Time
	cut     int // T
	end     int // the horizon's end: nothing happens from here on
	buyers  int // customers won by the end, for laws with newcomers all the time
	founded int // customers of laws without newcomers
}

// newShop returns the shop of a law and a seed: the same one each time. T is in
// summer, autumn or winter by the seed, for one T is one season.
func newShop(law string, seed, days, buyers int) *shop {
	cuts := [...]time.Time{
		time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2025, 10, 15, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
	}
	return &shop{
		rng:     rand.New(rand.NewPCG(event.Hash(law), uint64(seed))),
		opened:  cuts[seed%len(cuts)].AddDate(0, 0, -days),
		cut:     days,
		end:     days + horizon,
		buyers:  buyers * (days + horizon) / days,
		founded: buyers,
	}
}

// at is the instant of t.
func (s *shop) at(t float64) time.Time {
	return s.opened.Add(time.Duration(t * 24 * float64(time.Hour)))
}

// yearday is the day of the year at t, from 1.
func (s *shop) yearday(t float64) int { return s.opened.AddDate(0, 0, int(t)).YearDay() }

// join draws a day from the opening to the end.
func (s *shop) join() float64 { return s.uniform(0, float64(s.end)) }

func (s *shop) uniform(from, to float64) float64 { return from + (to-from)*s.rng.Float64() }

func (s *shop) chance(p float64) bool { return s.rng.Float64() < p }

func (s *shop) normal(mean, sd float64) float64 { return mean + sd*s.rng.NormFloat64() }

// lognormal draws by the median and the standard deviation of the logarithm.
func (s *shop) lognormal(median, sd float64) float64 { return median * math.Exp(s.normal(0, sd)) }

func (s *shop) exponential(mean float64) float64 { return mean * s.rng.ExpFloat64() }

// gamma draws by shape and scale: its mean is their product.
func (s *shop) gamma(shape, scale float64) float64 {
	return distuv.Gamma{Alpha: shape, Beta: 1 / scale, Src: s.rng}.Rand()
}

func (s *shop) beta(a, b float64) float64 { return distuv.Beta{Alpha: a, Beta: b, Src: s.rng}.Rand() }

func (s *shop) poisson(mean float64) int {
	return int(distuv.Poisson{Lambda: mean, Src: s.rng}.Rand())
}

// one draws one of the values, each as likely.
func (s *shop) one(values ...float64) float64 { return values[s.rng.IntN(len(values))] }
