package encode

import (
	"github.com/dangol-dev/dangol/engine/score"
)

// AppendAffinities appends what an item goes with, by every kind of evidence.
func (JSON) AppendAffinities(dst []byte, a *score.ItemAffinities) []byte {
	b := appendText(append(dst, `{"item_id":"`...), a.ItemID)
	b = appendTime(append(b, `","as_of":`...), a.AsOf)
	b = append(b, `,"kinds":{`...)
	for k, name := range score.EvidenceKinds() {
		if k > 0 {
			b = append(b, ',')
		}
		b = appendNeighbours(append(appendString(b, name), ':'), a.Kinds[k])
	}
	return append(b, `}}`...)
}

// AppendNeighbours appends the neighbours of an item by one kind of evidence, in
// their order.
func (JSON) AppendNeighbours(dst []byte, item, kind string, as []score.Affinity) []byte {
	b := appendText(append(dst, `{"item_id":"`...), item)
	b = appendText(append(b, `","kind":"`...), kind)
	b = appendNeighbours(append(b, `","affinities":`...), as)
	return append(b, '}')
}

func appendNeighbours(b []byte, as []score.Affinity) []byte {
	b = append(b, '[')
	for i := range as {
		a := &as[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"item_id":"`...), a.ItemID)
		b = appendFloat(append(b, `","count":`...), a.Count)
		if a.Short > 0 {
			b = appendFloat(append(b, `,"short":`...), a.Short)
		}
		b = appendRule(b, a.Support, a.Confidence, a.Lift)
		b = appendFloat(append(b, `,"leverage":`...), a.Leverage)
		b = appendFloat(append(b, `,"llr":`...), a.LLR)
		b = appendFloat(append(b, `,"strength":`...), a.Strength)
		b = append(b, '}')
	}
	return append(b, ']')
}

// AppendTogether appends what goes best with a set of items by one kind of
// evidence: items are those of the set that are known, unknown the others.
func (JSON) AppendTogether(dst []byte, items, unknown []string, kind string, offers []score.Offer) []byte {
	b := appendStrings(append(dst, `{"items":`...), items)
	b = appendStrings(append(b, `,"unknown":`...), unknown)
	b = appendText(append(b, `,"kind":"`...), kind)
	b = append(b, `","affinities":[`...)
	for i := range offers {
		o := &offers[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"item_id":"`...), o.ItemID)
		b = appendFloat(append(b, `","score":`...), o.Score)
		b = append(appendBecause(b, o.Because), '}')
	}
	return append(b, `]}`...)
}

// AppendAudience appends the customers to tell about an item, in their order.
func (JSON) AppendAudience(dst []byte, item string, ts []score.Target) []byte {
	b := appendText(append(dst, `{"item_id":"`...), item)
	b = append(b, `","audience":[`...)
	for i := range ts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"customer_id":"`...), ts[i].CustomerID)
		b = append(appendOffer(append(b, '"'), &ts[i].Offer), '}')
	}
	return append(b, `]}`...)
}
