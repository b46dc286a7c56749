package api

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/dangol-dev/dangol/engine/score"
)

// node is a mapping of the YAML document.
type node = map[string]any

func openapi(t *testing.T) node {
	t.Helper()
	var doc node
	require.NoError(t, yaml.Unmarshal(OpenAPI(), &doc))
	return doc
}

// at follows keys down.
func at(t *testing.T, n any, path ...string) any {
	t.Helper()
	for _, key := range path {
		m, ok := n.(node)
		require.True(t, ok, "%v: not a mapping above %s", path, key)
		require.Contains(t, m, key, "%v", path)
		n = m[key]
	}
	return n
}

func keys(n any) []string {
	var ks []string
	for k := range n.(node) {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}

// The file describes the endpoints that there are, and no other.
func TestOpenAPIHasEveryEndpoint(t *testing.T) {
	doc := openapi(t)
	want := map[string]string{"/": "get"}
	for _, r := range newRig(t, nil).server.routes() {
		want[r.path] = strings.ToLower(r.method)
	}
	got := map[string]string{}
	for _, path := range keys(doc["paths"]) {
		methods := keys(at(t, doc, "paths", path))
		require.Len(t, methods, 1, path)
		got[path] = methods[0]
		responses := keys(at(t, doc, "paths", path, methods[0], "responses"))
		require.Contains(t, responses, "200", path)
		require.Contains(t, responses, "405", path)
	}
	require.Equal(t, want, got)
}

// Every reference leads somewhere, and every component is used.
func TestOpenAPIReferences(t *testing.T) {
	doc := openapi(t)
	used := map[string]bool{}
	var walk func(n any)
	walk = func(n any) {
		switch n := n.(type) {
		case node:
			if ref, ok := n["$ref"].(string); ok {
				used[ref] = true
				at(t, doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
			}
			for _, v := range n {
				walk(v)
			}
		case []any:
			for _, v := range n {
				walk(v)
			}
		}
	}
	walk(doc)
	for _, kind := range keys(doc["components"]) {
		for _, name := range keys(at(t, doc, "components", kind)) {
			require.True(t, used["#/components/"+kind+"/"+name], "%s %s: nothing refers to it", kind, name)
		}
	}
}

func TestOpenAPIListsTheErrorCodes(t *testing.T) {
	codes := at(t, openapi(t), "components", "schemas", "Error", "properties", "error", "properties", "code", "enum")
	require.ElementsMatch(t, []any{codeInvalid, codeNotFound, codeMethod, codeSlowBody, codeTooLarge, codeMediaType,
		codeBusy, codeTimeout, codeNotReady, codeIncomplete, codeStopping, codeInternal}, codes)
}

// Each field of the documents has its place in the schema, each name in the
// schema its field: whoever adds one is led here. A field's wire name is its
// own in snake case, except where it is named below; "group" is written of R, F, M.
func TestOpenAPISchemasFollowTheDocuments(t *testing.T) {
	doc := openapi(t)
	for _, c := range []struct {
		of    any
		wire  map[string]string
		extra []string
	}{
		{of: score.Scores{}},
		{of: score.RFM{}, extra: []string{"group"}},
		{of: score.Churn{}, wire: map[string]string{"AverageGapDays": "average_days_between_orders", "ExpectedNextOrder": "expected_date_of_next_order", "Average": "average_probability"}},
		{of: score.Value{}, wire: map[string]string{"HistoricOrders": "historic_number_of_orders", "PredictedOrders": "predicted_number_of_orders"}},
		{of: score.Journey{}},
		{of: score.Loyalty{}},
		{of: score.Offer{}},
		{of: score.Because{}},
		{of: score.Contact{}},
		{of: score.Reason{}},
		{of: score.NextChange{}, wire: map[string]string{"Timer": "what"}},
		{of: score.Evidence{}, wire: map[string]string{"RhythmModel": "models", "ChurnLabels": "models", "BasketOrders": "models", "RFMCustomers": "models"}},
		{of: score.Population{}},
		{of: score.Cuts{}, wire: map[string]string{"Recency": "recency_days"}},
		{of: score.Affinity{}},
		{of: score.Target{}, wire: map[string]string{"Offer": "customer_id", "ItemID": "customer_id"}}, // the item is the one asked for
		{of: score.OfferModel{}},
		{of: score.Learned{}, wire: map[string]string{
			"Fitted": "rhythm", "Alone": "mbg_nbd", "Labels": "churn_labels", "Recency": "baselines", "Frequency": "baselines",
			"Average": "average_probability", "Judged": "quality",
		}, extra: []string{"format"}},
		{of: score.Quality{}, wire: map[string]string{
			"Quality": "n", "MeanP": "mean_probability", "AUC": "auc", "ECE": "ece", "Caught": "captured",
		}},
	} {
		typ := reflect.TypeOf(c.of)
		want := append([]string{}, c.extra...)
		for _, field := range reflect.VisibleFields(typ) {
			if !field.IsExported() {
				continue
			}
			name := c.wire[field.Name]
			if name == "" {
				name = snake(field.Name)
			}
			if !slices.Contains(want, name) {
				want = append(want, name)
			}
		}
		properties := at(t, doc, "components", "schemas", typ.Name(), "properties")
		require.ElementsMatch(t, want, keys(properties), typ.Name())
		required := at(t, doc, "components", "schemas", typ.Name(), "required")
		require.Subset(t, keys(properties), required, typ.Name())
	}
}

// The kinds of evidence and the bounds are those that the endpoints hold.
func TestOpenAPIListsTheKinds(t *testing.T) {
	doc := openapi(t)
	var kinds []any
	for _, k := range score.EvidenceKinds() {
		kinds = append(kinds, k)
	}
	evidence := at(t, doc, "components", "schemas", "EvidenceKind")
	require.Equal(t, kinds, at(t, evidence, "enum"))
	kind := at(t, doc, "paths", "/v1/items/{id}/affinities", "get", "parameters").([]any)[1]
	require.Equal(t, score.SameOrder, at(t, kind, "schema", "default"))
	set := at(t, doc, "components", "schemas", "Set", "properties")
	require.Equal(t, score.SameOrder, at(t, set, "kind", "default"))
	require.Equal(t, maxSet, at(t, set, "items", "maxItems"))
	require.Equal(t, maxK, at(t, set, "k", "maximum"))
	require.Equal(t, defaultK, at(t, set, "k", "default"))
	limit := at(t, doc, "paths", "/v1/items/{id}/audience", "get", "parameters").([]any)[1]
	require.Equal(t, maxLimit, at(t, limit, "schema", "maximum"))
	require.Equal(t, defaultLimit, at(t, limit, "schema", "default"))
}

// snake turns CustomerIDs into customer_ids.
func snake(name string) string {
	name = strings.NewReplacer("IDs", "Ids", "ID", "Id", "RFM", "Rfm", "CLV", "Clv", "LLR", "Llr", "PAlive", "P_alive").Replace(name)
	var b strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
