package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dangol-dev/dangol/bench/quality"
	"github.com/dangol-dev/dangol/connectors/file"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/rhythm"
	"github.com/dangol-dev/dangol/engine/score"
)

type backtestOptions struct {
	historyOptions
	horizon    string
	html, json string
}

func newBacktestCommand() *cobra.Command {
	var o backtestOptions
	cmd := &cobra.Command{
		Use:   "backtest --input FILE --as-of T",
		Short: "Tell how good the scores are on your own history",
		Long: `Backtest carries a file's events up to an instant, scores every customer with what
was known by then, and compares that with what really came within the horizon after
it. Everything that is learned is learned from events before the instant.

It prints the report as text; --html writes it as one page with plots, --json as data.`,
		Example: `  dangol backtest --input CDNOW_sample.txt --format cdnow --as-of 1998-03-31 --horizon 91d --html report.html
  dangol backtest --input events.jsonl.gz --as-of 2026-06-01 --json report.json
  dangol backtest --input tafeng_history.json.gz --format tafeng --horizon 7d`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.asOf == "" && o.format == file.Tafeng {
				o.asOf = file.TafengCut
			}
			if len(o.input) == 0 || o.asOf == "" {
				return errors.New("a file and an instant are needed: dangol backtest --input FILE --as-of 2026-06-01")
			}
			return backtest(cmd.Context(), &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.register(cmd, "`instant` (2026-06-01 or RFC 3339) at which the history is cut")
	f := cmd.Flags()
	f.StringVar(&o.horizon, "horizon", "", "how far the scores look ahead, such as 90d or 26w (default: horizon_days)")
	f.StringVar(&o.html, "html", "", "write the report as a page to this `FILE`")
	f.StringVar(&o.json, "json", "", "write the report as JSON to this `FILE`")
	return cmd
}

func backtest(ctx context.Context, o *backtestOptions, out, errOut io.Writer) (err error) {
	cfg, cut, err := o.load()
	if err != nil {
		return err
	}
	days, err := parseHorizon(o.horizon, cfg.Score.HorizonDays)
	if err != nil {
		return err
	}
	// What is judged is the money that comes, so it is not discounted.
	cfg.Score.HorizonDays, cfg.Score.Value = days, score.ValueConfig{HorizonDays: days}
	// And whether the offers are in the next order, whatever they bring and whenever that is.
	cfg.NextBest.Rank, cfg.NextBest.DueShare = nextbest.ByProbability, 0
	if err := cfg.Validate(); err != nil {
		return err
	}
	for _, path := range []string{o.html, o.json} { // now, not when all is computed
		if err := writeReport(path, func(io.Writer) error { return nil }); err != nil {
			return err
		}
	}
	h, err := o.open(cfg, cut+int64(days)*rhythm.DayMS, errOut)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	t := &trial{cfg: cfg, history: h, cut: cut, after: map[string]*ledger.Ledger{}}
	if err := t.run(ctx); err != nil {
		return err
	}
	if err := t.worthJudging(); err != nil {
		return err
	}
	r, err := t.report(ctx)
	if err != nil {
		return err
	}
	r.Data.Input, r.Data.Format = o.inputName(), filepath.Base(o.format)
	h.bar.close()
	return errors.Join(r.WriteText(out), writeReport(o.html, r.WriteHTML), writeReport(o.json, r.WriteJSON))
}

func writeReport(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	return writeFile(path, write)
}

// parseHorizon reads "90d", "13w" or a plain number of days.
func parseHorizon(s string, otherwise int) (int, error) {
	if s == "" {
		return otherwise, nil
	}
	unit, number := 1, strings.TrimSuffix(s, "d")
	if w := strings.TrimSuffix(s, "w"); w != s {
		unit, number = 7, w
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > 3650/unit {
		return 0, fmt.Errorf("--horizon %q: want a number of days or weeks up to ten years, such as 90d or 13w", s)
	}
	return n * unit, nil
}

// trial is a backtest under way.
type trial struct {
	cfg     *Config
	history *history
	cut     int64

	events int
	last   int64 // instant of the last event
	after  map[string]*ledger.Ledger
	looked markov // before the cut
	looks  looks  // after it
	rules  ledger.Rules
}

// run carries the events up to the cut through the engine and keeps of the
// later ones what they did to each customer.
func (t *trial) run(ctx context.Context) error {
	var held *event.Event
	next := func(ev *event.Event) error {
		if err := t.history.reader.Next(ev); err != nil {
			return err
		}
		if t.events++; ev.Time > t.cut {
			held = ev
			return io.EOF
		}
		t.last = ev.Time
		if ev.Type == event.ProductViewed {
			t.looked.see(ev, t.cfg.Basket.SessionGap.Milliseconds())
		}
		return nil
	}
	r := pipeline.Replay{Core: t.history.core, NoFits: true} // what is judged is learned at the cut
	if _, err := r.Run(ctx, next, t.cut); err != nil {
		return err
	}
	t.rules = t.cfg.Ledger.Rules(ledger.NewCalendar(t.cfg.location()))
	for ev := held; ev != nil; t.events++ {
		t.take(ev)
		switch err := t.history.reader.Next(ev); {
		case errors.Is(err, io.EOF):
			return ctx.Err()
		case err != nil:
			return err
		}
	}
	return nil
}

// worthJudging says why nothing could be judged.
func (t *trial) worthJudging() error {
	if r := t.history.reader.Report(); t.events == 0 && r.Lines > 0 {
		return fmt.Errorf("none of the %d lines is an event up to the horizon's end: is --format right, and --as-of within the history?", r.Lines)
	}
	if t.last <= t.cut {
		return fmt.Errorf("the history ends on %s: nothing comes after %s to compare the scores with; take an earlier --as-of",
			time.UnixMilli(t.last).UTC().Format(time.DateOnly), instant(t.cut))
	}
	return nil
}

// take applies an event after the cut to the customer's facts of that time.
func (t *trial) take(ev *event.Event) {
	l := t.after[ev.CustomerID]
	if l == nil {
		l = &ledger.Ledger{}
		t.after[strings.Clone(ev.CustomerID)] = l
	}
	t.last = ev.Time
	l.Apply(ev, &t.rules)
	if ev.Type == event.ProductViewed {
		t.looks.add(ev, t.cfg.Basket.SessionGap.Milliseconds())
	}
}

// report judges the scores of the cut.
func (t *trial) report(ctx context.Context) (*quality.Report, error) {
	core, r := t.history.core, &quality.Report{}
	r.Data = quality.Data{
		AsOf: instant(t.cut), HorizonDays: t.cfg.Score.HorizonDays, Events: t.events,
		Currency: t.cfg.Decode.Currency.Base, Version: version(),
	}
	learned, err := core.ModelsAt(ctx, t.cut)
	if err != nil {
		return nil, err
	}
	var cases []quality.Case
	var baskets []quality.Basket
	counts := map[uint64]int{}
	err = core.Examine(ctx, t.cut, func(x *pipeline.Examined) error {
		r.Data.Customers++
		tally(x.Facts, &t.rules, counts)
		if !x.Buyer {
			return nil
		}
		cases = append(cases, t.judged(x))
		if b, ok := t.basket(x); ok {
			baskets = append(baskets, b)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if r.NextView, err = t.nextViews(ctx); err != nil {
		return nil, err
	}
	if len(cases) == 0 && r.NextView != nil { // a history of looks alone
		r.Findings = []string{"Nobody had ordered before the cut: of scores there is nothing to judge."}
		return r, nil
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("no customer had ordered by %s: there is nothing to judge", instant(t.cut))
	}
	r.Models = describe(learned)
	r.Judge(cases)
	addSimple(baskets, counts)
	r.JudgeOffers([]string{"dangol", "own favourites, then best sellers", "best sellers"}, baskets)
	if end := t.cut + int64(t.cfg.Score.HorizonDays)*rhythm.DayMS; t.last < end-rhythm.DayMS {
		r.Findings = append([]string{fmt.Sprintf("The history ends on %s, before the horizon does on %s: "+
			"who is said to have left may have ordered later. Take an earlier instant or a shorter horizon.",
			time.UnixMilli(t.last).UTC().Format(time.DateOnly), time.UnixMilli(end).UTC().Format(time.DateOnly))}, quality.Findings(r)...)
	} else {
		r.Findings = quality.Findings(r)
	}
	return r, nil
}

// judged is a buyer's case.
func (t *trial) judged(x *pipeline.Examined) quality.Case {
	d, v := x.Doc, &x.Rivals
	c := quality.Case{
		Probability: d.Churn.Probability, Orders: d.Value.PredictedOrders, Value: d.Value.PredictedOrders * d.Value.ExpectedOrderValue.Float(), // revenue, also where the document counts margin
		Segment: d.RFM.Segment, Stage: d.Journey.Stage,
	}
	c.Rivals = []quality.Rival{
		{Name: "recency only", RankOnly: v.RankOnly, Probability: v.Recency, Orders: nan, Value: nan},
		{Name: "frequency only", RankOnly: v.RankOnly, Probability: v.Frequency, Orders: nan, Value: nan},
		{Name: "MBG/NBD", Probability: v.MBGNBD, Orders: v.MBGNBDOrders, Value: v.MBGNBDOrders * v.MeanSpend},
		{Name: "pace so far", Probability: nan, Orders: v.PaceOrders, Value: v.PaceOrders * v.MeanSpend},
	}
	if l := t.after[d.CustomerID]; l != nil {
		c.Ordered, c.Spent = float64(l.Fold.Occasions), l.Fold.Net().Float()
		day := int32(-1 << 31)
		if l.Fold.Occasions > 0 {
			day = l.Fold.LastDay
		}
		for s := l.Sales(&t.rules); s.Next(); {
			if s.Day != day {
				c.Ordered++
			}
			day = s.Day
			c.Spent += s.Net.Float()
		}
	}
	return c
}

// describe puts the models into the report's words.
func describe(l *score.Learned) quality.Models {
	m := quality.Models{
		Rhythm: quality.Rhythm{R: l.Rhythm.R, AlphaDays: l.Rhythm.Alpha, A: l.Rhythm.A, B: l.Rhythm.B, LogLikelihood: l.LogLikelihood},
		Spend:  quality.Spend{P: l.Spend.P, Q: l.Spend.Q, V: l.Spend.V},
		Churn:  quality.Churn{Answered: score.RhythmAlone, Labels: l.Labels},
	}
	for i, w := range l.Rhythm.Weights {
		m.Rhythm.Weights = append(m.Rhythm.Weights, quality.Weight{K: rhythm.Grid[i], Share: w})
	}
	if l.Churn == nil {
		return m
	}
	m.Churn.Answered = score.LearnedModel
	for i, name := range score.FeatureNames() {
		if w := l.Churn.Weights[i]; w != 0 {
			m.Churn.Terms = append(m.Churn.Terms, quality.Term{Name: name, Weight: w * (l.Churn.Hi[i] - l.Churn.Lo[i]), Text: score.FeatureText(i)})
		}
	}
	return m
}
