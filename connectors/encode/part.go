package encode

import (
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
	return append(b, '}')
}

func appendValue(b []byte, v *score.Value) []byte {
	b = appendMoney(append(b, `,"value":{"historic_clv":`...), v.HistoricCLV)
	b = appendInt(append(b, `,"historic_number_of_orders":`...), v.HistoricOrders)
	b = appendMoney(append(b, `,"average_order_value":`...), v.AverageOrderValue)
	return append(b, '}')
}

func appendJourney(b []byte, j *score.Journey) []byte {
	b = appendText(append(b, `,"journey":{"stage":"`...), j.Stage)
	b = appendInt(append(b, `","level":`...), j.Level)
	b = appendTime(append(b, `,"since":`...), j.Since)
	b = appendTime(append(b, `,"second_order_due_by":`...), j.SecondOrderDueBy)
	return append(b, '}')
}

func appendLoyalty(b []byte, l *score.Loyalty) []byte {
	if l == nil {
		return append(b, `,"loyalty":null`...)
	}
	b = appendFloat(append(b, `,"loyalty":{"full_price_share":`...), l.FullPriceShare)
	b = appendInt(append(b, `,"referrals":`...), l.Referrals)
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
		b = appendText(append(b, `","kind":"`...), o.Kind)
		b = appendFloat(append(b, `","score":`...), o.Score)
		b = append(b, `,"because":[`...)
		for k := range o.Because {
			w := &o.Because[k]
			if k > 0 {
				b = append(b, ',')
			}
			b = appendStrings(append(b, `{"item_ids":`...), w.ItemIDs)
			b = appendRule(b, w.Support, w.Confidence, w.Lift)
		}
		b = append(b, `]}`...)
	}
	return append(b, ']')
}

// appendRule ends an object with the figures of a rule.
func appendRule(b []byte, support, confidence, lift float64) []byte {
	b = appendFloat(append(b, `,"support":`...), support)
	b = appendFloat(append(b, `,"confidence":`...), confidence)
	b = appendFloat(append(b, `,"lift":`...), lift)
	return append(b, '}')
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

func appendEvidence(b []byte, e *score.Evidence) []byte {
	b = appendInt(append(b, `,"evidence":{"orders":`...), e.Orders)
	b = appendInt(append(b, `,"models":{"rhythm":`...), e.RhythmModel)
	b = appendInt(append(b, `,"basket":`...), e.BasketOrders)
	b = appendInt(append(b, `,"rfm":`...), e.RFMCustomers)
	return append(b, `}}`...)
}
