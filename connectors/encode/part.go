package encode

import (
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/score"
)

// Each part is written with the comma and the name before it, so that what is
// constant goes in at one stroke.

func appendRFM(b []byte, r *score.RFM) []byte {
	if r == nil {
		return append(b, `,"rfm":null`...)
	}
	b = appendFloat(append(b, `,"rfm":{"recency_days":`...), r.RecencyDays)
	b = appendInt(append(b, `,"frequency":`...), r.Frequency)
	b = appendMoney(append(b, `,"monetary":`...), r.Monetary)
	b = appendInt(append(b, `,"r":`...), int(r.R))
	b = appendInt(append(b, `,"f":`...), int(r.F))
	b = appendInt(append(b, `,"m":`...), int(r.M))
	b = append(b, `,"group":"`...)
	b = appendInt(appendInt(appendInt(b, int(r.R)), int(r.F)), int(r.M))
	b = appendText(append(b, `","segment":"`...), r.Segment)
	if r.PreviousSegment != "" {
		b = appendText(append(b, `","previous_segment":"`...), r.PreviousSegment)
	}
	return append(b, `"}`...)
}

func appendChurn(b []byte, c *score.Churn) []byte {
	if c == nil {
		return append(b, `,"churn":null`...)
	}
	b = appendFloat(append(b, `,"churn":{"probability":`...), c.Probability)
	b = appendInt(append(b, `,"horizon_days":`...), c.HorizonDays)
	b = appendText(append(b, `,"band":"`...), c.Band)
	b = appendFloat(append(b, `","p_alive":`...), c.PAlive)
	b = appendFloat(append(b, `,"overdue_percentile":`...), c.OverduePercentile)
	if c.AverageGapDays == 0 {
		b = append(b, `,"average_days_between_orders":null`...)
	} else {
		b = appendFloat(append(b, `,"average_days_between_orders":`...), c.AverageGapDays)
	}
	b = appendTime(append(b, `,"expected_date_of_next_order":`...), c.ExpectedNextOrder)
	b = appendTime(append(b, `,"becomes_overdue_at":`...), c.BecomesOverdueAt)
	b = appendText(append(b, `,"model":"`...), c.Model)
	b = appendFloat(append(b, `","average_probability":`...), c.Average)
	return append(b, '}')
}

// appendValue writes money past and, for a buyer, money to come.
func appendValue(b []byte, v *score.Value, buyer bool) []byte {
	b = appendMoney(append(b, `,"value":{"historic_clv":`...), v.HistoricCLV)
	b = appendInt(append(b, `,"historic_number_of_orders":`...), v.HistoricOrders)
	b = appendMoney(append(b, `,"average_order_value":`...), v.AverageOrderValue)
	if !buyer {
		return append(b, `,"predicted_number_of_orders":null,"expected_order_value":null,"predicted_clv":null,"total_clv":null,`+
			`"horizon_days":null,"basis":null,"historic_margin":null}`...)
	}
	b = appendFloat(append(b, `,"predicted_number_of_orders":`...), v.PredictedOrders)
	b = appendMoney(append(b, `,"expected_order_value":`...), v.ExpectedOrderValue)
	b = appendMoney(append(b, `,"predicted_clv":`...), v.PredictedCLV)
	b = appendMoney(append(b, `,"total_clv":`...), v.TotalCLV)
	b = appendInt(append(b, `,"horizon_days":`...), v.HorizonDays)
	b = appendText(append(b, `,"basis":"`...), v.Basis)
	if v.Basis != score.Margin {
		return append(b, `","historic_margin":null}`...)
	}
	b = appendMoney(append(b, `","historic_margin":`...), v.HistoricMargin)
	return append(b, '}')
}

func appendJourney(b []byte, j *score.Journey) []byte {
	b = appendText(append(b, `,"journey":{"stage":"`...), j.Stage)
	b = appendInt(append(b, `","level":`...), j.Level)
	b = appendTime(append(b, `,"since":`...), j.Since)
	b = appendTime(append(b, `,"next_change_at":`...), j.NextChangeAt)
	b = appendTime(append(b, `,"second_order_due_by":`...), j.SecondOrderDueBy)
	return append(b, '}')
}

func appendLoyalty(b []byte, l *score.Loyalty) []byte {
	if l == nil {
		return append(b, `,"loyalty":null`...)
	}
	b = appendFloat(append(b, `,"loyalty":{"score":`...), l.Score)
	b = appendFloat(append(b, `,"full_price_share":`...), l.FullPriceShare)
	b = appendFloat(append(b, `,"coupon_free_share":`...), l.CouponFreeShare)
	b = appendInt(append(b, `,"category_breadth":`...), l.CategoryBreadth)
	b = appendInt(append(b, `,"referrals":`...), l.Referrals)
	if l.Satisfaction < 0 {
		return append(b, `,"satisfaction":null}`...)
	}
	b = appendFloat(append(b, `,"satisfaction":`...), l.Satisfaction)
	return append(b, '}')
}

func appendOffers(b []byte, offers []score.Offer) []byte {
	b = append(b, `,"next_best":[`...)
	for i := range offers {
		o := &offers[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"item_id":"`...), o.ItemID)
		b = append(appendOffer(append(b, '"'), o), '}')
	}
	return append(b, ']')
}

// appendOffer writes an offer without its item.
func appendOffer(b []byte, o *score.Offer) []byte {
	b = appendText(append(b, `,"kind":"`...), o.Kind)
	b = appendFloat(append(b, `","score":`...), o.Score)
	if !(o.Value > 0) {
		b = append(b, `,"value":null`...)
	} else {
		b = appendMoney(append(b, `,"value":`...), event.MicroOf(o.Value))
	}
	return appendBecause(b, o.Because)
}

func appendBecause(b []byte, because []score.Because) []byte {
	b = append(b, `,"because":[`...)
	for i := range because {
		w := &because[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendStrings(append(b, `{"item_ids":`...), w.ItemIDs)
		if w.Kind != "" {
			b = appendText(append(b, `,"kind":"`...), w.Kind)
			b = append(b, '"')
		}
		b = append(appendRule(b, w.Support, w.Confidence, w.Lift), '}')
	}
	return append(b, ']')
}

// appendRule writes the figures of a rule.
func appendRule(b []byte, support, confidence, lift float64) []byte {
	b = appendFloat(append(b, `,"support":`...), support)
	b = appendFloat(append(b, `,"confidence":`...), confidence)
	return appendFloat(append(b, `,"lift":`...), lift)
}

func appendContact(b []byte, c *score.Contact) []byte {
	if c.BestHour < 0 {
		b = append(b, `,"contact":{"best_hour":null`...)
	} else {
		b = appendInt(append(b, `,"contact":{"best_hour":`...), c.BestHour)
	}
	if c.BestWeekday == 0 {
		b = append(b, `,"best_weekday":null`...)
	} else {
		b = appendInt(append(b, `,"best_weekday":`...), c.BestWeekday)
	}
	if c.Channel == "" {
		b = append(b, `,"channel":null,"permitted":`...)
	} else {
		b = appendText(append(b, `,"channel":"`...), c.Channel)
		b = append(b, `","permitted":`...)
	}
	return append(appendStrings(b, c.Permitted), '}')
}

func appendReasons(b []byte, reasons []score.Reason) []byte {
	b = append(b, `,"reasons":[`...)
	for i := range reasons {
		r := &reasons[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"score":"`...), r.Score)
		b = appendFloat(append(b, `","effect":`...), r.Effect)
		b = append(b, `,"text":"`...)
		if text, plain := r.Text.Plain(); plain {
			b = appendText(b, text)
		} else {
			b = r.Text.Append(b)
		}
		b = append(b, `"}`...)
	}
	return append(b, ']')
}

func appendNextChange(b []byte, n *score.NextChange) []byte {
	if n.At == 0 {
		return append(b, `,"next_change":null`...)
	}
	b = appendTime(append(b, `,"next_change":{"at":`...), n.At)
	b = appendText(append(b, `,"what":"`...), n.Timer.String())
	return append(b, `"}`...)
}

func appendEvidence(b []byte, e *score.Evidence) []byte {
	b = appendInt(append(b, `,"evidence":{"orders":`...), e.Orders)
	b = appendInt(append(b, `,"models":{"rhythm":`...), e.RhythmModel)
	b = appendInt(append(b, `,"churn_labels":`...), e.ChurnLabels)
	b = appendInt(append(b, `,"basket":`...), e.BasketOrders)
	b = appendInt(append(b, `,"rfm":`...), e.RFMCustomers)
	return append(b, `}}`...)
}
