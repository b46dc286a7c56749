package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/connectors/file"
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
)

func main() {
	if os.Args[1] == "yoo" {
		yoo()
		return
	}
	tafeng()
}

func yoo() {
	D := os.Getenv("DANGOL_DATA") + "/yoochoose/"
	cfg := basket.DefaultConfig()
	c := basket.New(cfg)
	rules := ledger.Rules{Lateness: 86400000, Calendar: ledger.NewCalendar(time.UTC)}
	src := basket.NewSource(cfg, &rules)
	leds := map[string]*ledger.Ledger{}
	var order []string
	read := func(f string, fn func(*event.Event)) {
		r, err := file.Open(D+f, "yoochoose", file.Options{})
		if err != nil {
			panic(err)
		}
		var ev event.Event
		for {
			if err := r.Next(&ev); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				panic(err)
			}
			fn(&ev)
		}
	}
	read("train_full.txt.gz", func(ev *event.Event) {
		l := leds[ev.CustomerID]
		if l == nil {
			l = &ledger.Ledger{}
			leds[strings.Clone(ev.CustomerID)] = l
		}
		l.Apply(ev, &rules)
	})
	for _, l := range leds {
		src.Each(l, c.Apply)
	}
	c.Settle()
	test := map[string][]uint64{}
	read("test.txt.gz", func(ev *event.Event) {
		h := event.Hash(ev.Items[0].ID)
		if c.Ref(h) == 0 {
			return
		}
		id := strings.Clone(ev.CustomerID)
		if test[id] == nil {
			order = append(order, id)
		}
		test[id] = append(test[id], h)
	})
	hr, mrr, n := 0., 0., 0.
	for _, id := range order {
		v := test[id]
		for j := 1; j < len(v); j++ {
			n++
			if i := slices.Index(nextbest.NextViews(c, v[:j], 20), v[j]); i >= 0 {
				hr++
				mrr += 1 / float64(i+1)
			}
		}
	}
	fmt.Printf("HR@20 %.4f MRR@20 %.4f n %v\n", hr/n, mrr/n, n)
}

func tafeng() {
	cfg := basket.DefaultConfig()
	c := basket.New(cfg)
	rules := ledger.Rules{Lateness: 86400000, Calendar: ledger.NewCalendar(time.UTC)}
	src := basket.NewSource(cfg, &rules)
	r, err := file.Open(os.Getenv("DANGOL_DATA")+"/tafeng/tafeng_history.json.gz", "tafeng", file.Options{})
	if err != nil {
		panic(err)
	}
	dict := basket.NewDictionary()
	var trends *nextbest.Trends
	trends = nextbest.NewTrends(c, dict)
	ncfg := nextbest.DefaultConfig()
	ncfg.Rank = nextbest.ByProbability
	rec := nextbest.New(ncfg, c, dict, func() *nextbest.Trends { return trends }, &rules)
	leds := map[string]*ledger.Ledger{}
	var before ledger.Ledger
	var ids []string
	var ev event.Event
	var lessons []nextbest.Lesson
	model := score.BuiltInOffers()
	began := time.Now()
	var learnV nextbest.Verdict
	cut, _ := time.Parse(time.DateOnly, "2001-02-27")
	var last []*event.Event
	counts := map[uint64]float64{}
	var studyTime time.Duration
	studies := 0
	for {
		if err := r.Next(&ev); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			panic(err)
		}
		if ev.Time > cut.UnixMilli() {
			e := ev
			e.CustomerID = strings.Clone(ev.CustomerID)
			e.Items = slices.Clone(ev.Items)
			for i := range e.Items {
				e.Items[i].ID = strings.Clone(e.Items[i].ID)
			}
			last = append(last, &e)
			continue
		}
		id := strings.Clone(ev.CustomerID)
		l := leds[id]
		if l == nil {
			l = &ledger.Ledger{}
			leds[id] = l
			ids = append(ids, id)
		}
		var items []uint64
		for i := range ev.Items {
			dict.Observe(&ev.Items[i], ev.Time)
			items = append(items, event.Hash(ev.Items[i].ID))
			counts[items[i]]++
		}
		if h := ev.OrderHash(); h%8 == 0 {
			var le nextbest.Lesson
			le.Order, le.At = h, ev.Time
			t := time.Now()
			rec.Study(l, model, ev.Time, items, &le)
			studyTime += time.Since(t)
			studies++
			learnV.Add(&le.Verdict)
			lessons = append(lessons, le)
			if len(lessons) > 4096 {
				lessons = lessons[1:]
			}
		}
		before.Reset()
		b := l.AppendFacts(nil)
		if err := ledger.DecodeFacts(b, &before, nil); err != nil {
			panic(err)
		}
		l.Apply(&ev, &rules)
		src.Orders(&before, l, c.Apply)
		if trends.Old(c) {
			trends = nextbest.NewTrends(c, dict)
		}
	}
	fmt.Println("stream", time.Since(began), "study", studyTime/time.Duration(studies), studies, "MB", c.Bytes()>>20, "pairs", c.Pairs())
	show("prequential", &learnV)
	t := time.Now()
	if m, err := nextbest.Learn(lessons, model); err != nil {
		fmt.Println(err)
	} else {
		fmt.Println("learned", time.Since(t))
		print(m)
		defer func() {}()
		trends = nextbest.NewTrends(c, dict)
		c.Settle()
		for _, x := range []struct {
			n string
			m *score.OfferModel
		}{{"built in", model}, {"learned", m}} {
			evaluate(x.n, x.m, rec, leds, last, counts)
		}
	}
}

func print(m *score.OfferModel) {
	fmt.Printf("new bias %.2f", m.New.Bias)
	for i, n := range score.NewColumns() {
		fmt.Printf(" %s %.3f", n, m.New.Weights[i])
	}
	fmt.Printf("\nagain bias %.2f", m.Again.Bias)
	for i, n := range score.AgainColumns() {
		fmt.Printf(" %s %.3f", n, m.Again.Weights[i])
	}
	fmt.Println()
}

func show(name string, v *nextbest.Verdict) {
	for w := range v {
		for p := range v[w] {
			h := v[w][p]
			if w > 0 && name != "prequential" {
				continue
			}
			fmt.Printf("%s %-10s %-8s R %.4f N %.4f P %.4f (%.0f)\n", name, nextbest.JudgedNames[w], nextbest.PartNames[p], h.Recall/h.Orders, h.NDCG/h.Orders, h.Hit/h.Orders, h.Orders)
		}
	}
}

func evaluate(name string, m *score.OfferModel, rec *nextbest.Recommender, leds map[string]*ledger.Ledger, last []*event.Event, counts map[uint64]float64) {
	var v nextbest.Verdict
	var le nextbest.Lesson
	slices.SortFunc(last, func(a, b *event.Event) int { return cmp.Compare(a.CustomerID, b.CustomerID) })
	t := time.Now()
	for _, e := range last {
		l := leds[e.CustomerID]
		if l == nil {
			continue
		}
		var items []uint64
		for i := range e.Items {
			items = append(items, event.Hash(e.Items[i].ID))
		}
		rec.Study(l, m, e.Time, items, &le)
		v.Add(&le.Verdict)
	}
	fmt.Println(name, time.Since(t))
	show(name, &v)
	var out []score.Offer
	t = time.Now()
	pf, _ := os.Create("/tmp/offers.prof")
	pprof.StartCPUProfile(pf)
	defer pprof.StopCPUProfile()
	for _, e := range last {
		out = rec.Offers(leds[e.CustomerID], m, e.Time, 3, out)
	}
	fmt.Println("offers", time.Since(t)/time.Duration(len(last)))
}

var _ = context.Background
var _ = decode.DefaultConfig

func only(col int) *score.OfferModel {
	m := score.BuiltInOffers()
	for i := range m.New.Weights {
		m.New.Weights[i] = 0
	}
	m.New.Weights[col] = 1
	return m
}
