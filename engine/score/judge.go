package score

import (
	"math"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// judgePast scores each label with the models that were in force when it began,
// that is before it could be learned from, and keeps of those models the ones
// that labels still open have begun under.
func (n *Learner) judgePast(prev, l *Learned) {
	models := append(append([]Past(nil), prev.Past...), Past{At: prev.At, Fitted: prev.Fitted})
	names := [...]string{"dangol", "recency", "frequency", "mbg_nbd"}
	var outcomes [len(names)][]churn.Outcome
	for _, j := range n.judged() {
		inForce := -1
		for i := range models {
			if models[i].At <= n.shots[j] {
				inForce = i
			}
		}
		if inForce < 0 {
			continue // whoever began in the middle of a stream had no model then
		}
		f := &models[inForce].Fitted
		q, alone := answererOf(f, n.cfg), aloneOf(f)
		for i := range n.members {
			for _, b := range n.members[i].labels {
				if b.snapshot != j {
					continue
				}
				x, offset := q.row(&b.shot, q.horizon)
				churned := b.next-n.shots[j] > n.spanMS()
				for k, p := range [...]float64{
					f.Churn.Probability(offset, x),
					f.Recency.P(math.Log1p(b.silence)),
					f.Frequency.P(math.Log(float64(b.occasion))),
					byMBGNBD(alone, b.history, b.silence, q.horizon),
				} {
					outcomes[k] = append(outcomes[k], churn.Outcome{P: p, Churned: churned})
				}
			}
		}
	}
	if len(outcomes[0]) > 0 {
		for k, name := range names {
			l.Judged = append(l.Judged, Quality{Name: name, Quality: churn.Judge(outcomes[k])})
		}
	}
	// A label that begins now is judged when its horizon has passed; by then the
	// snapshots reach back to before it.
	oldest := int64(0)
	if judged := n.judged(); len(judged) > 0 {
		oldest = n.shots[judged[len(judged)-1]]
	}
	// And snapshots are evenings before a Monday, so that of the models of one week
	// the last alone was in force at one.
	for i := range models {
		if i+1 == len(models) || models[i+1].At > oldest && n.week(models[i].At) != n.week(models[i+1].At) {
			l.Past = append(l.Past, models[i])
		}
	}
	if most := 2*n.cfg.HorizonDays/7 + 8; len(l.Past) > most { // a week has one; no label is older
		l.Past = l.Past[len(l.Past)-most:]
	}
}

// judged are the indices of the snapshots that are judged: resolved ones.
func (n *Learner) judged() (list []int) {
	for j := n.firstResolved(n.at); j < len(n.shots) && len(list) < judgedMost; j += judgedEvery {
		list = append(list, j)
	}
	return list
}

// week is the calendar week of an instant.
func (n *Learner) week(at int64) int32 { return ledger.Week(n.rules.Calendar.Day(at)) }

func aloneOf(f *Fitted) *rhythm.Prior {
	p, err := rhythm.NewPrior(f.Alone)
	if err != nil {
		panic("score: a fitted prior is none: " + err.Error())
	}
	return p
}

// byMBGNBD is the churn probability by MBG/NBD.
func byMBGNBD(p *rhythm.Prior, h rhythm.History, silence, horizon float64) float64 {
	var q rhythm.Posterior
	p.Posterior(h, &q)
	return 1 - q.OrderWithin(silence, horizon)
}
