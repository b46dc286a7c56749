package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"

	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

var errFound = errors.New("found")

// showCustomer looks for a customer and tells what is kept of it.
func (o *inspectOptions) showCustomer(k kept, parts []int32, w io.Writer) error {
	want := string(pipeline.CustomerKey(o.customer))
	for _, p := range parts {
		var led ledger.Ledger
		var em score.Emission
		err := k.each(p, func(key, val []byte, _ int64) error {
			if string(key) != want {
				return nil
			}
			if err := pipeline.DecodeCustomer(val, &led, &em, pipeline.NewInterner()); err != nil {
				return fmt.Errorf("customer %q: %w", o.customer, err)
			}
			return errFound
		})
		switch {
		case errors.Is(err, errFound):
			c := portray(o.customer, p, &led, &em)
			if o.json {
				return writeLine(w, c)
			}
			return c.write(w)
		case err != nil:
			return err
		}
	}
	return fmt.Errorf("customer %q is not known", o.customer)
}

// portrait is what is kept of a customer.
type portrait struct {
	ID        string        `json:"customer_id"`
	Partition int32         `json:"partition"`
	First     string        `json:"first_event,omitempty"`
	Last      string        `json:"last_event,omitempty"`
	Erased    string        `json:"erased,omitempty"`
	Orders    []orderDoc    `json:"orders"`
	Folded    int64         `json:"older_orders"` // that only sums are kept of
	FoldedNet string        `json:"older_orders_net,omitempty"`
	Waiting   int           `json:"waiting"` // updates and repeated orders that are not settled yet
	Views     []string      `json:"views"`   // their instants
	Cart      int           `json:"cart"`    // articles in it
	Weeks     int           `json:"active_weeks"`
	Counts    []countDoc    `json:"counts,omitempty"`
	Consents  []consentDoc  `json:"consents,omitempty"`
	Said      emissionDoc   `json:"last_said"`
	Next      *nextTimerDoc `json:"next,omitempty"`
}

type orderDoc struct {
	Placed   string `json:"placed"`
	Amount   string `json:"amount"`
	Discount string `json:"discount,omitempty"`
	Items    int    `json:"items"`
	Channel  string `json:"channel,omitempty"`
	Returned string `json:"returned,omitempty"` // an amount, or "wholly"
	Cancel   string `json:"cancelled,omitempty"`
}

type countDoc struct {
	What string `json:"what"`
	N    int64  `json:"n"`
}

type consentDoc struct {
	Channel string `json:"channel"` // empty: all
	Granted bool   `json:"granted"`
	At      string `json:"at"`
}

type emissionDoc struct {
	Version  uint64 `json:"version"`
	AsOf     string `json:"as_of,omitempty"`
	Stage    string `json:"stage,omitempty"`
	Level    uint8  `json:"level"`
	Segment  string `json:"segment,omitempty"`
	Previous string `json:"previous_segment,omitempty"`
	Group    string `json:"group,omitempty"`
	Band     string `json:"band,omitempty"`
	Churn    string `json:"churn_probability,omitempty"`
	Overdue  bool   `json:"overdue"`
	Value    string `json:"historic_clv,omitempty"`
}

type nextTimerDoc struct {
	At   string `json:"at"`
	What string `json:"what"`
}

// portray puts facts and emission into words.
func portray(id string, p int32, l *ledger.Ledger, em *score.Emission) *portrait {
	c := &portrait{
		ID: id, Partition: p, First: moment(l.First), Last: moment(l.Last), Erased: moment(l.Erased), Orders: []orderDoc{}, Views: []string{},
		Folded: l.Fold.Orders, Waiting: len(l.Pending), Weeks: bits.OnesCount64(l.Visited),
	}
	if l.Fold.Orders > 0 {
		c.FoldedNet = l.Fold.Net().String()
	}
	for i := range l.Orders {
		c.Orders = append(c.Orders, portrayOrder(&l.Orders[i], l.Adjustments))
	}
	for i := range l.Views {
		c.Views = append(c.Views, moment(l.Views[i].Time))
	}
	for _, line := range l.Cart {
		if !line.Removed && line.Time > l.CartCleared {
			c.Cart++
		}
	}
	for kind, what := range map[ledger.MarkKind]string{ledger.Complaint: "complaints", ledger.Resolved: "complaints resolved",
		ledger.Referral: "referrals", ledger.Review: "reviews", ledger.Share: "shares"} {
		if n := l.Count(kind); n > 0 {
			c.Counts = append(c.Counts, countDoc{what, n})
		}
	}
	slices.SortFunc(c.Counts, func(a, b countDoc) int { return strings.Compare(a.What, b.What) })
	for _, x := range l.Consents {
		c.Consents = append(c.Consents, consentDoc{x.Channel, x.Granted, moment(x.Time)})
	}
	c.Said = emissionDoc{Version: em.Version, AsOf: moment(em.AsOf), Level: em.Level, Segment: em.Segment, Previous: em.PreviousSegment, Band: em.Band.String(), Overdue: em.Overdue}
	if em.Stage != 0 {
		c.Said.Stage = em.Stage.String()
	}
	if em.R != 0 {
		c.Said.Group = fmt.Sprintf("%d%d%d", em.R, em.F, em.M)
	}
	if em.Buyer {
		c.Said.Churn, c.Said.Value = fmt.Sprintf("%.6f", float64(em.Probability)/1e6), em.Value.String()
	}
	if em.Next != 0 {
		c.Next = &nextTimerDoc{moment(em.Next), em.Timer.String()}
	}
	return c
}

func portrayOrder(o *ledger.Order, all []ledger.Adjustment) orderDoc {
	d := orderDoc{Placed: moment(o.Placed), Amount: o.Amount.String(), Items: len(o.Items), Channel: o.Channel}
	if o.Discount != 0 {
		d.Discount = o.Discount.String()
	}
	var returned = o.Amount.Sub(o.Amount)
	for _, a := range all {
		switch {
		case a.Order != o.Hash:
		case a.Kind == ledger.Cancelled:
			d.Cancel = moment(a.Time)
		case a.Kind == ledger.RefundedWholly:
			d.Returned = "wholly"
		default:
			returned = returned.Add(a.Amount)
		}
	}
	if returned != 0 && d.Returned == "" {
		d.Returned = returned.String()
	}
	return d
}

// write prints it for people.
func (c *portrait) write(w io.Writer) error {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&b, "customer %q, partition %d\n", c.ID, c.Partition)
	row("seen", "%s to %s, in %s", cmp.Or(c.First, "never"), cmp.Or(c.Last, "never"), quantity(c.Weeks, "week"))
	if c.Erased != "" {
		row("erased", "%s", c.Erased)
	}
	row("orders", "%d", int64(len(c.Orders))+c.Folded)
	if c.Folded > 0 {
		row("", "%d older ones, %s net", c.Folded, c.FoldedNet)
	}
	for i := range c.Orders {
		row("", "%s", c.Orders[i].words())
	}
	if c.Waiting > 0 {
		row("waiting", "%d statements about orders that are not settled yet", c.Waiting)
	}
	if n := len(c.Views); n > 0 {
		row("views", "the latest %d, from %s to %s", n, c.Views[0], c.Views[n-1])
	}
	if c.Cart > 0 {
		row("cart", "%s", quantity(c.Cart, "article"))
	}
	for _, x := range c.Counts {
		row("counted", "%s %d", x.What, x.N)
	}
	for _, x := range c.Consents {
		verb := "withdrawn"
		if x.Granted {
			verb = "granted"
		}
		row("consent", "%s %s %s", cmp.Or(x.Channel, "all channels"), verb, x.At)
	}
	row("told", "%s", c.Said.words())
	if c.Next == nil {
		row("next", "nothing changes with time alone")
	} else {
		row("next", "%s at %s", c.Next.What, c.Next.At)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// quantity is a number of things.
func quantity(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func (d *orderDoc) words() string {
	text := fmt.Sprintf("%s  %s, %s", d.Placed, d.Amount, quantity(d.Items, "item"))
	if d.Discount != "" {
		text += ", discount " + d.Discount
	}
	if d.Channel != "" {
		text += ", by " + d.Channel
	}
	if d.Returned != "" {
		text += ", returned " + d.Returned
	}
	if d.Cancel != "" {
		text += ", cancelled " + d.Cancel
	}
	return text
}

func (d *emissionDoc) words() string {
	if d.Version == 0 {
		return "nothing yet"
	}
	text := fmt.Sprintf("version %d as of %s", d.Version, d.AsOf)
	if d.Stage == "" {
		return text + ": erased"
	}
	text += fmt.Sprintf(": stage %s, level %d", d.Stage, d.Level)
	if d.Segment != "" {
		text += fmt.Sprintf(", segment %s (%s)", d.Segment, d.Group)
	}
	if d.Previous != "" {
		text += ", before " + d.Previous
	}
	if d.Churn != "" {
		text += fmt.Sprintf(", churn %s (%s), brought %s", d.Churn, d.Band, d.Value)
	}
	if d.Overdue {
		text += ", overdue"
	}
	return text
}
