package pipeline

import (
	"slices"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
)

// lessons are the latest orders before which an offer list was made, and how
// well such lists have done since the process began. They are not stored: whoever
// opens partitions anew has the models that were learned, and collects others.
type lessons struct {
	latest  []nextbest.Lesson // a ring
	next    int
	verdict nextbest.Verdict
}

// mostLessons is how many are kept to learn from: about a kilobyte each.
const mostLessons = 16_384

func (l *lessons) take(study []nextbest.Lesson) {
	for i := range study {
		l.verdict.Add(&study[i].Verdict)
		if len(l.latest) < mostLessons {
			l.latest = append(l.latest, study[i])
			continue
		}
		l.latest[l.next] = study[i]
		l.next = (l.next + 1) % mostLessons
	}
}

// upTo are those of no later than an instant.
func (l *lessons) upTo(at int64) []nextbest.Lesson {
	var out []nextbest.Lesson
	for i := range l.latest {
		if l.latest[i].At <= at {
			out = append(out, l.latest[i])
		}
	}
	return out
}

// examine makes an offer list before s.ev, if that is an order chosen to be
// judged by, and says whether s.lesson holds it.
func (s *shard) examine(now int64) bool {
	ev := s.ev
	if ev.Type != event.OrderCompleted || len(ev.Items) == 0 {
		return false
	}
	h := ev.OrderHash()
	if share := s.core.cfg.NextBest.Judged; float64(h>>11)/(1<<53) >= share {
		return false
	}
	key := ledger.OrderKey(ev)
	if slices.ContainsFunc(s.cur.led.Orders, func(o ledger.Order) bool { return o.Hash == key }) {
		return false // it is there already, and counted
	}
	s.bought = s.bought[:0]
	for i := range ev.Items {
		if it := event.Hash(ev.Items[i].ID); !slices.Contains(s.bought, it) {
			s.bought = append(s.bought, it)
		}
	}
	s.lesson.Order, s.lesson.At = h, ev.Time
	s.judge.Study(&s.cur.led, s.core.models.Load().Learned().Offers, now, s.bought, &s.lesson)
	return true
}

func (c *Core) currentTrends() *nextbest.Trends { return c.trends.Load() }

// learnOffers learns from the orders judged up to an instant.
func (c *Core) learnOffers(l *score.Learned, at int64) {
	if c.cfg.NextBest.Judged == 0 {
		l.Offers = score.BuiltInOffers()
		return
	}
	c.mu.RLock()
	lessons := c.lessons.upTo(at)
	c.mu.RUnlock()
	m, err := nextbest.Learn(lessons, l.Offers)
	if err != nil {
		l.Refused = append(l.Refused, err.Error())
	}
	l.Offers = m
}
