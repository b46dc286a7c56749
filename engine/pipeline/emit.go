package pipeline

import (
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/score"
)

func (s *shard) deadLetter(r *Record, rej *event.Reject) {
	s.tally.rejects[rej.Reason]++
	s.out.deadLetter(r, s.core.cfg.Topic, s.part, rej)
}

// rescore brings the emission up to now and emits what a consumer would act on.
// Offers are looked at anew where the customer's orders or consents changed, and
// where something else is said.
func (s *shard) rescore(id string, now int64, cause score.Cause, offers bool) {
	r, was := s.cur, s.cur.em
	update := s.maker.Refresh
	if offers {
		update = s.maker.Update
	}
	s.deltas = update(id, &r.led, s.core.models.Load(), now, &was, &r.em, &s.doc, s.deltas[:0])
	s.move(&was)
	if len(s.deltas) > 0 {
		s.emit(id, now, cause, s.deltas, &s.doc)
	}
}

// move notes that the customer's place in the population is another than was.
func (s *shard) move(was *score.Emission) {
	if em := &s.cur.em; *em != *was {
		s.shift.Move(was, em)
	}
}

// emit writes a change of the customer at s.key, and the document once for both
// topics.
func (s *shard) emit(id string, at int64, cause score.Cause, changed []score.Delta, scores *score.Scores) {
	s.tally.changes++
	c := &s.change
	*c = score.Change{CustomerID: id, At: at, Version: s.cur.em.Version, Cause: cause, Changed: changed, Scores: scores}
	key := s.key[1:]
	var doc []byte
	s.out.open(Scores, -1, key)
	if c.Scores == nil {
		s.out.tombstone()
	} else {
		from := len(s.out.arena)
		s.out.arena = s.core.enc.AppendScores(s.out.arena, c.Scores)
		s.out.close()
		doc = s.out.arena[from:] // stays as it is, also when the arena moves
	}
	s.out.scores(event.Hash(c.CustomerID))
	s.out.open(Changes, -1, key)
	s.out.arena = s.core.enc.AppendChange(s.out.arena, c, doc)
	s.out.close()
}

// erase says that the customer is forgotten. What it did after the time of the
// request, in an event that came before it, stays.
func (s *shard) erase(id string, now int64, eventID string) {
	s.who.forget(id)
	r, was := s.cur, s.cur.em
	r.em = score.Emission{Version: was.Version + 1, AsOf: now}
	s.move(&was)
	cause := score.Cause{Kind: "event", EventID: eventID}
	s.emit(id, now, cause, nil, nil)
	if r.led.Last > r.led.Erased {
		s.rescore(id, now, cause, true)
	}
}
