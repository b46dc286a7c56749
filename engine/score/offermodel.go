package score

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dangol-dev/dangol/engine/churn"
)

// OfferModel foretells whether an item is in a customer's next order: for items
// that are new to the customer and for those it has had. It is immutable.
//
// What speaks for a new item is a mixture of voices, each a distribution over the
// candidates: Σ Mix[v]·voice(item). Its log is the first column of a logistic
// regression. Items that the customer has had go into another one.
type OfferModel struct {
	Mix        [NumVoices]float64 // ≥ 0, sum 1
	New, Again *churn.Model       // over NewColumns, AgainColumns
	Lists      int                // offer lists that it was learned from; 0: built in
}

// Voices for an item that is new to the customer.
const (
	VoiceCustomer   = iota // near what the customer has bought, by what customers had; the latest weighs most
	VoiceOrder             // the same by what was in one order
	VoiceNext              // near the latest order, by what was in the next one
	VoiceSession           // near what was looked at since the latest order, by what was looked at next
	VoicePopularity        // its share of all orders
	NumVoices
)

// Voices names them.
func Voices() [NumVoices]string {
	return [NumVoices]string{"same_customer", "same_order", "next_order", "same_session", "popularity"}
}

// Columns of an item that is new to the customer; logs are natural.
const (
	NewMix      = iota // log of the mixture of the voices
	NewCategory        // log of how many times as often its category follows the latest one's as any
	NewLooked          // 1: looked at since the latest order
	NewOrders          // log(1 + the customer's orders)
	NumNew             // how many there are
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
	return []string{"mix", "category", "looked_at", "orders"}
}

// AgainColumns names the columns of an item that the customer has had.
func AgainColumns() []string {
	return []string{"share", "age", "due", "item", "popularity", "category", "looked_at", "orders"}
}

// BuiltInOffers is what ranks offers before anything was learned.
func BuiltInOffers() *OfferModel {
	return &OfferModel{
		Mix: [NumVoices]float64{VoiceCustomer: .45, VoiceOrder: .1, VoiceNext: .1, VoiceSession: .1, VoicePopularity: .25},
		New: builtIn(NumNew, 0, map[int]float64{NewMix: 1, NewCategory: .3, NewLooked: .8, NewOrders: -.2}),
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
	for v := range m.Mix {
		if !near(m.Mix[v], o.Mix[v]) {
			return false
		}
	}
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
	for v, w := range m.Mix {
		if !(w >= 0 && w <= 1) {
			return fmt.Errorf("offer model: %s has a share of %g", Voices()[v], w)
		}
	}
	if err := m.New.Check(NumNew); err != nil {
		return fmt.Errorf("offer model, new items: %w", err)
	}
	if err := m.Again.Check(NumAgain); err != nil {
		return fmt.Errorf("offer model, repeated items: %w", err)
	}
	return nil
}
