package ledger

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/dangol-dev/dangol/engine/event"
)

// The transcripts in testdata/transcript: what a customer does, in the order in
// which it arrives, and what the ledger makes of it. Times are hours since
// 2026-01-01T00:00Z; amounts are in whole units.
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata/transcript", func(t *testing.T, path string) {
		var l Ledger
		r := Rules{Lateness: 24 * hourMs}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				l = Ledger{}
				hours := 24
				d.MaybeScanArgs(t, "lateness", &hours)
				r.Lateness = int64(hours) * hourMs
				return ""
			case "apply":
				return applyLines(t, &l, &r, d.Input)
			case "orders": // n orders, the i-th at from+i·every
				var n, from, every int
				d.ScanArgs(t, "n", &n)
				d.ScanArgs(t, "from", &from)
				d.ScanArgs(t, "every", &every)
				for i := range n {
					applyLines(t, &l, &r, fmt.Sprintf("order_completed t=%d order=bulk%d amount=10", from+i*every, i))
				}
				return fmt.Sprintf("%d orders, %d folded\n", len(l.Orders), l.Fold.Orders)
			case "sales":
				return sales(&l, &r)
			case "facts":
				return facts(&l)
			case "before":
				var at int
				d.ScanArgs(t, "t", &at)
				var dst Ledger
				l.Before(hour(at), &r, &dst)
				return facts(&dst) + sales(&dst, &r)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func hour(h int) int64 { return epoch + int64(h)*hourMs }

// parseEvent reads "order_completed t=5 order=o1 amount=20 items=a,b id=e1".
func parseEvent(t *testing.T, line string) event.Event {
	words := strings.Fields(line)
	var e event.Event
	for _, typ := range event.Types() {
		if typ.String() == words[0] {
			e.Type = typ
		}
	}
	if e.Type == 0 {
		t.Fatalf("unknown type %s", words[0])
	}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		n, _ := strconv.Atoi(value)
		switch key {
		case "t":
			e.Time = hour(n)
		case "id":
			e.ID = value
		case "order":
			e.OrderID = value
		case "amount":
			e.Amount, e.HasAmount = event.Micro(n)*event.One, true
		case "discount":
			e.Discount = event.Micro(n) * event.One
		case "coupon":
			e.Coupon = value
		case "cost": // of each item, and so after them
			for i := range e.Items {
				e.Items[i].Cost, e.Items[i].HasCost = event.Micro(n)*event.One, true
			}
		case "channel":
			e.Channel = value
		case "granted":
			e.Granted = value == "yes"
		case "rating":
			e.Rating = int8(n)
		case "items":
			for _, id := range strings.Split(value, ",") {
				e.Items = append(e.Items, event.Item{ID: id, Quantity: event.One})
			}
		default:
			t.Fatalf("unknown field %s", key)
		}
	}
	return e
}

func applyLines(t *testing.T, l *Ledger, r *Rules, lines string) string {
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		e := parseEvent(t, line)
		eff := l.Apply(&e, r)
		var words []string
		for _, f := range []struct {
			set  bool
			name string
		}{{eff.Changed, "changed"}, {eff.Scores, "scores"}, {eff.Week, "week"}, {eff.Orders, "orders"}, {eff.Late, "late"}} {
			if f.set {
				words = append(words, f.name)
			}
		}
		if words == nil {
			words = []string{"nothing"}
		}
		fmt.Fprintln(&b, strings.Join(words, " "))
	}
	return b.String()
}

func hours(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return strconv.FormatInt((ms-epoch)/hourMs, 10)
}

func sales(l *Ledger, r *Rules) string {
	var b strings.Builder
	for s := l.Sales(r); s.Next(); {
		fmt.Fprintf(&b, "t=%s net=%s", hours(s.Placed), s.Net)
		for _, w := range []struct {
			set  bool
			name string
		}{{s.HasMargin, fmt.Sprint("margin=", s.Margin)}, {s.Discounted, "discounted"}, {s.Coupon, "coupon"}, {s.InBasket, fmt.Sprint("items=", len(s.Items))}, {s.Channel != "", s.Channel}} {
			if w.set {
				fmt.Fprint(&b, " ", w.name)
			}
		}
		fmt.Fprintln(&b)
	}
	if b.Len() == 0 {
		return "no sales\n"
	}
	return b.String()
}

// facts is a line for every part of the ledger that is not empty.
func facts(l *Ledger) string {
	var b strings.Builder
	fmt.Fprintf(&b, "first=%s last=%s", hours(l.First), hours(l.Last))
	for _, reg := range []struct {
		name string
		t    int64
	}{{"erased", l.Erased}, {"cleared", l.CartCleared}, {"sent", l.Sent}, {"opened", l.Opened}, {"clicked", l.Clicked}, {"survey", l.SurveyTime}} {
		if reg.t != 0 {
			fmt.Fprintf(&b, " %s=%s", reg.name, hours(reg.t))
		}
	}
	if l.Visited != 0 { // weeks; week 0 is that of 2026-01-01, a Thursday
		fmt.Fprintf(&b, " visited=%b@%d", l.Visited, l.Week-Week(int32(epoch/dayMs)))
	}
	for _, w := range []struct {
		name string
		bits uint64
	}{{"carted", l.Carted}, {"engaged", l.Engaged}} {
		if w.bits != 0 {
			fmt.Fprintf(&b, " %s=%b", w.name, w.bits)
		}
	}
	fmt.Fprintln(&b)
	for _, n := range []struct {
		name string
		n    int
	}{{"orders", len(l.Orders)}, {"pending", len(l.Pending)}, {"adjustments", len(l.Adjustments)}, {"views", len(l.Views)}, {"cart", len(l.Cart)}, {"marks", len(l.Marks)}, {"consents", len(l.Consents)}} {
		if n.n != 0 {
			fmt.Fprintf(&b, "%s=%d ", n.name, n.n)
		}
	}
	if l.Fold != (Fold{}) {
		f := l.Fold
		fmt.Fprintf(&b, "fold: orders=%d occasions=%d days=%d…%d lngaps=%d amount=%s discount=%s returned=%s orphans=%d net=%s", f.Orders, f.Occasions,
			f.FirstDay-int32(epoch/dayMs), f.LastDay-int32(epoch/dayMs), f.LnGaps, f.Amount, f.Discount, f.Returned, f.Orphans, f.Net())
		if f.CostedNet != 0 || f.Cost != 0 {
			fmt.Fprintf(&b, " cost=%s of %s", f.Cost, f.CostedNet)
		}
	}
	if l.MarkFold != [numMarks]int64{} {
		fmt.Fprintf(&b, "marks folded: %v", l.MarkFold[1:])
	}
	return strings.TrimSpace(b.String()) + "\n"
}
