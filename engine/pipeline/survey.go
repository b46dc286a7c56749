package pipeline

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// A survey gathers the sample that models are fitted to from all instances: who
// has the first partition asks on the shared log, each instance answers there for
// the partitions that it has, and who asked fits when all have answered.
type survey struct {
	id       uint64
	at       int64          // instant
	below    uint64         // buyers of lower hashes are asked for
	answered map[int32]bool // on the log
	told     map[int32]bool // by this process; the log may not have brought it back yet
	buyers   []sampled
}

func newSurvey(id uint64, at int64, below uint64) *survey {
	return &survey{id: id, at: at, below: below, answered: map[int32]bool{}, told: map[int32]bool{}}
}

// answer is what is told of a partition, a record after another.
type answer struct {
	survey    uint64
	partition int32
	parts     [][]byte
	told      bool // in the open transaction
}

// answersWithin is how long answers are waited for. Whoever began anew from a
// snapshot that was made after the question does not know of it: it is asked again.
const answersWithin = 10 * time.Minute

// askMore is how many more than the sample are asked for, since who of all
// customers was a buyer at an instant is not known.
const askMore = 1.25

// lowest is the hash below which about n of so many buyers are.
func lowest(n, buyers int) uint64 {
	if share := askMore * float64(n) / float64(max(buyers, 1)); share < 1 {
		return uint64(share * math.MaxUint64)
	}
	return math.MaxUint64
}

// wider is the hash below which a survey is to ask again that has brought too few buyers
// for a sample: in the end, for all.
func (s *survey) wider(sample int) uint64 {
	share := float64(s.below) / math.MaxUint64 * askMore * float64(sample) / float64(max(len(s.buyers), 1))
	if share < 1 {
		return uint64(share * math.MaxUint64)
	}
	return math.MaxUint64
}

// ask begins a survey, which the next transaction tells of. c.mu is held.
func (c *Core) ask(at int64, below uint64) {
	l := &c.learning
	l.survey = newSurvey(rand.Uint64(), at, below)
	l.asked, l.seen, l.askedAt = l.survey.id, l.survey.id, c.now()
	b := binary.LittleEndian.AppendUint64(nil, l.asked)
	b = binary.LittleEndian.AppendUint64(b, below)
	l.question = binary.AppendVarint(b, at)
}

// takeQuestion begins a survey that the log tells of. c.mu is held.
func (c *Core) takeQuestion(b []byte) error {
	if len(b) < 17 {
		return fmt.Errorf("%w: a survey is cut short", errShared)
	}
	at, _ := binary.Varint(b[16:])
	s := newSurvey(binary.LittleEndian.Uint64(b), at, binary.LittleEndian.Uint64(b[8:]))
	l := &c.learning
	if s.id != l.seen { // it may be told twice
		l.survey, l.seen = s, s.id
	}
	return nil
}

// takeAnswer takes in part of what a partition's owner says. c.mu is held.
func (c *Core) takeAnswer(p int32, b []byte) error {
	s := c.learning.survey
	if len(b) < 9 {
		return fmt.Errorf("%w: an answer is cut short", errShared)
	}
	if s == nil || binary.LittleEndian.Uint64(b) != s.id || s.answered[p] {
		return nil // of an earlier one
	}
	s.answered[p] = b[8] != 0
	if b = b[9:]; s.id != c.learning.asked {
		return nil // who asked gathers
	}
	for len(b) > 0 {
		if len(b) < 9 {
			return fmt.Errorf("%w: an answer is cut short", errShared)
		}
		hash := binary.LittleEndian.Uint64(b)
		n, w := binary.Uvarint(b[8:])
		if w <= 0 || n > uint64(len(b)-8-w) {
			return fmt.Errorf("%w: an answer is cut short", errShared)
		}
		s.buyers = append(s.buyers, sampled{hash, p, slices.Clone(b[8+w : 8+w+int(n)])})
		b = b[8+w+int(n):]
	}
	return nil
}

// considerAnswer begins, in the background, to answer a survey for partitions of
// ours that have not. c.mu is held.
func (c *Core) considerAnswer() {
	l := &c.learning
	s := l.survey
	if s == nil || l.answering || len(l.answers) > 0 || c.now().Before(l.rest) {
		return
	}
	var parts []int32
	for p := range c.shards {
		if !s.answered[p] && !s.told[p] {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return
	}
	slices.Sort(parts)
	l.answering = true
	c.background.Go(func() {
		answers, err := c.answer(c.life, s, parts)
		c.mu.Lock()
		defer c.mu.Unlock()
		l.answering = false
		if err != nil {
			l.failed++
			l.rest = c.now().Add(leastFit)
			return
		}
		l.answers = answers
	})
}

// answer collects, of some partitions, the buyers that a survey asks for.
func (c *Core) answer(ctx context.Context, s *survey, parts []int32) ([]answer, error) {
	rules := c.rules()
	buyers, err := c.sampleAt(ctx, &rules, s.at, parts, s.below)
	if err != nil {
		return nil, err
	}
	of := map[int32]*answer{}
	for _, p := range parts {
		of[p] = &answer{survey: s.id, partition: p}
	}
	for _, m := range buyers.sorted() {
		of[m.partition].add(m)
	}
	var out []answer
	for _, p := range parts {
		a := of[p]
		a.begin()[answerHead-1] = 1 // the last one
		out = append(out, *a)
	}
	return out, nil
}

const answerHead = 9 // bytes: the survey's id, and whether it is the last part

// begin is the part to be added to, of which there is one at least.
func (a *answer) begin() []byte {
	if n := len(a.parts); n > 0 && len(a.parts[n-1]) < sharedMost/2 {
		return a.parts[n-1]
	}
	a.parts = append(a.parts, append(binary.LittleEndian.AppendUint64(nil, a.survey), 0))
	return a.parts[len(a.parts)-1]
}

func (a *answer) add(m sampled) {
	part := binary.LittleEndian.AppendUint64(a.begin(), m.hash)
	a.parts[len(a.parts)-1] = append(binary.AppendUvarint(part, uint64(len(m.facts))), m.facts...)
}

// tellSurvey puts the question and answers that wait into the open transaction.
// c.mu is held.
func (c *Core) tellSurvey() {
	l := &c.learning
	if s := c.shards[0]; s != nil && l.question != nil {
		s.say(surveySection, l.question)
	}
	for i := range l.answers {
		a := &l.answers[i]
		s := c.shards[a.partition]
		if a.told = s != nil; !a.told {
			continue // it is another instance's now
		}
		for _, part := range a.parts {
			s.say(answerSection, part)
		}
	}
	l.toldAnswers = len(l.answers)
}

// told notes that the transaction was committed that told what waited. leads says
// that the first partition is ours.
func (l *learning) told(leads bool) {
	for _, a := range l.answers[:l.toldAnswers] {
		if a.told && l.survey != nil && l.survey.id == a.survey {
			l.survey.told[a.partition] = true
		}
	}
	l.answers = l.answers[l.toldAnswers:]
	l.toldAnswers = 0
	if !leads {
		return
	}
	l.question = nil
	if l.toldModels == l.done {
		l.done = nil
	}
	l.toldModels = nil
}

// forget drops what waits to be told: whether the last transaction of a session that
// died told it, nobody knows yet. What was not told is asked for, or answered, again.
func (l *learning) forget() {
	l.last = fitting{}
	if l.question != nil {
		l.question, l.survey = nil, nil
	}
	if l.survey != nil {
		clear(l.survey.told)
	}
	l.done, l.toldModels = nil, nil
	l.answers, l.toldAnswers = nil, 0
}

// complete takes the survey when all partitions have answered it: who asked fits.
// c.mu is held.
func (c *Core) complete() *survey {
	l := &c.learning
	s := l.survey
	if s == nil {
		return nil
	}
	for p := range c.shared.at {
		if !s.answered[p] {
			return nil
		}
	}
	if l.survey = nil; s.id != l.asked {
		return nil
	}
	return s
}

// sample are the survey's buyers of the lowest hashes, at most so many, by hash,
// and whether there may be others who belong to them and were not asked for.
func (s *survey) sample(most int) (buyers []sampled, short bool) {
	slices.SortFunc(s.buyers, func(a, b sampled) int { return cmp.Compare(a.hash, b.hash) })
	// Without transactions, who died in an answer has told a part of it.
	s.buyers = slices.CompactFunc(s.buyers, func(a, b sampled) bool { return a.hash == b.hash })
	return s.buyers[:min(most, len(s.buyers))], len(s.buyers) < most && s.below < math.MaxUint64
}

// fit learns from a sample of facts, as of an instant.
func (c *Core) fit(ctx context.Context, prev *score.Learned, at int64, buyers []sampled) (*score.Learned, error) {
	rules := c.rules()
	n := score.NewLearner(&c.cfg.Score, &rules, at)
	var led ledger.Ledger
	for i := range buyers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := ledger.DecodeFacts(buyers[i].facts, &led, rules.Intern); err != nil {
			return nil, fmt.Errorf("learn: %w", err)
		}
		if !nobody(&led) {
			n.Add(buyers[i].hash, &led)
		}
	}
	learned := n.Learn(prev)
	c.learnOffers(learned, at)
	if _, err := score.NewModels(&c.cfg.Score, learned); err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	return learned, nil
}
