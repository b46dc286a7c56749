package encode

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/score"
)

func anyAffinity(t *rapid.T) score.Affinity {
	return score.Affinity{
		ItemID: anyString.Draw(t, "other"), Count: anyFloat.Draw(t, "count"), Short: anyFloat.Draw(t, "short"),
		Support: anyFloat.Draw(t, "support"), Confidence: anyFloat.Draw(t, "confidence"), Lift: anyFloat.Draw(t, "lift"),
		Leverage: anyFloat.Draw(t, "leverage"), LLR: anyFloat.Draw(t, "llr"), Strength: anyFloat.Draw(t, "strength"),
	}
}

func plainAffinity(a score.Affinity) any {
	o := obj{
		"item_id": told(a.ItemID), "count": told(a.Count), "support": told(a.Support), "confidence": told(a.Confidence),
		"lift": told(a.Lift), "leverage": told(a.Leverage), "llr": told(a.LLR), "strength": told(a.Strength),
	}
	if a.Short > 0 {
		o["short"] = told(a.Short)
	}
	return o
}

func TestItemsSayWhatEncodingJSONWouldRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item, kind := anyString.Draw(t, "item"), anyString.Draw(t, "kind")
		affinities := rapid.SliceOfN(rapid.Custom(anyAffinity), 0, 2)
		as := affinities.Draw(t, "affinities")
		requireSame(t, obj{"item_id": told(item), "kind": told(kind), "affinities": list(as, plainAffinity)},
			decode(t, JSON{}.AppendNeighbours(nil, item, kind, as)), "")

		a, kinds := score.ItemAffinities{ItemID: item, AsOf: anyTime.Draw(t, "as of")}, obj{}
		for k, name := range basket.Kinds() {
			a.Kinds[k] = affinities.Draw(t, name)
			kinds[name] = list(a.Kinds[k], plainAffinity)
		}
		requireSame(t, obj{"item_id": told(item), "as_of": instant(a.AsOf), "kinds": kinds},
			decode(t, JSON{}.AppendAffinities(nil, &a)), "")

		offers := rapid.SliceOfN(rapid.Custom(anyOffer), 0, 2).Draw(t, "offers")
		items, unknown := rapid.SliceOfN(anyString, 0, 2).Draw(t, "items"), rapid.SliceOfN(anyString, 0, 2).Draw(t, "unknown")
		requireSame(t, obj{
			"items": list(items, text), "unknown": list(unknown, text), "kind": told(kind),
			"affinities": list(offers, func(o score.Offer) any {
				return obj{"item_id": told(o.ItemID), "score": told(o.Score), "because": plainBecause(o.Because)}
			}),
		}, decode(t, JSON{}.AppendTogether(nil, items, unknown, kind, offers)), "")

		targets := list(offers, func(o score.Offer) any { return plainOffer(&o, obj{"customer_id": told(o.ItemID)}) })
		var ts []score.Target
		for _, o := range offers {
			ts = append(ts, score.Target{CustomerID: o.ItemID, Offer: o})
		}
		requireSame(t, obj{"item_id": told(item), "audience": targets}, decode(t, JSON{}.AppendAudience(nil, item, ts)), "")
	})
}

// The names of the kinds are those of the counts.
func TestKindsOfEvidence(t *testing.T) {
	kinds := score.EvidenceKinds()
	require.Equal(t, basket.Kinds(), kinds[:])
	require.Equal(t, basket.SameOrder.String(), score.SameOrder)
}
