package score

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dangol-dev/dangol/engine/churn"
)

// OfferModel foretells whether an item is in a customer's next order: for items
// that are new to the customer and for those it has had. Both are logistic
// regressions over the columns that NewColumns and AgainColumns name. It is
// immutable.
type OfferModel struct {
	New, Again *churn.Model
	Lists      int // offer lists that it was learned from; 0: built in
}

// Columns of an item that is new to the customer. Sums are over what the
// customer has, the latest weighing most; logs are natural.
const (
	NewCustomer   = iota // log of the sum of its neighbourhood to what the customer has bought, by what customers had
	NewOrder             // the same by what was in one order
	NewNext              // the same by what followed, to the latest order
	NewSession           // the same by what was looked at next, to what was looked at since the latest order
	NewPopularity        // log of its share of all orders
	NewCategory          // log of how many times as often its category follows the latest one's as any
	NewLooked            // 1: looked at since the latest order
	NewOrders            // log(1 + the customer's orders)
	NumNew               // how many there are
)

// Columns of an item that the customer has had.
const (
	AgainShare      = iota // log of its share of the customer's orders
	AgainAge               // log(1 + orders since it was last bought)
	AgainDue               // the time since then over the customer's usual gap between purchases of it, at most 3; unknown before the second
	AgainItem              // log-odds of anybody's buying it again in the next order
	AgainPopularity        // log of its share of all orders
	AgainCategory          // as of a new item
	AgainLooked            // 1: looked at since the latest order
	AgainOrders            // log(1 + the customer's orders)
	NumAgain               // how many there are
)

// NewColumns names the columns of an item new to the customer.
func NewColumns() []string {
	return []string{"same_customer", "same_order", "next_order", "same_session", "popularity", "category", "looked_at", "orders"}
}

// AgainColumns names the columns of an item that the customer has had.
func AgainColumns() []string {
	return []string{"share", "age", "due", "item", "popularity", "category", "looked_at", "orders"}
}

// BuiltInOffers is what ranks offers before anything was learned.
func BuiltInOffers() *OfferModel {
	return &OfferModel{
		New: builtIn(NumNew, -2.2, map[int]float64{
			NewCustomer: .45, NewOrder: .1, NewNext: .1, NewSession: .1, NewPopularity: .65, NewCategory: .3, NewLooked: .8, NewOrders: -.2,
		}),
		Again: builtIn(NumAgain, .4, map[int]float64{
			AgainShare: .9, AgainAge: -.15, AgainDue: .3, AgainItem: .5, AgainPopularity: .15, AgainCategory: .3, AgainLooked: .8, AgainOrders: .1,
		}),
	}
}

// builtIn is a model that clamps columns to what they can be.
func builtIn(columns int, bias float64, weights map[int]float64) *churn.Model {
	m := &churn.Model{
		Bias: bias, Weights: make([]float64, columns), Lo: make([]float64, columns), Hi: make([]float64, columns), Mean: make([]float64, columns),
	}
	for i := range columns {
		m.Weights[i], m.Lo[i], m.Hi[i] = weights[i], -20, 20
	}
	return m
}

// same says whether o foretells as m does, to within the fits' tolerance.
func (m *OfferModel) same(o *OfferModel) bool {
	for _, p := range [2][2]*churn.Model{{m.New, o.New}, {m.Again, o.Again}} {
		if !near(p[0].Bias, p[1].Bias) || !slices.EqualFunc(p[0].Weights, p[1].Weights, near) {
			return false
		}
	}
	return true
}

// Check refuses what is no model of offers.
func (m *OfferModel) Check() error {
	if m.New == nil || m.Again == nil {
		return errors.New("offer model: a part is missing")
	}
	if err := m.New.Check(NumNew); err != nil {
		return fmt.Errorf("offer model, new items: %w", err)
	}
	if err := m.Again.Check(NumAgain); err != nil {
		return fmt.Errorf("offer model, repeated items: %w", err)
	}
	return nil
}
