package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/connectors/encode"
	api "github.com/dangol-dev/dangol/connectors/http"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

// audienceOf runs the command against an API.
func audienceOf(url string, args ...string) (string, error) {
	var out bytes.Buffer
	root := newRootCommand()
	root.SetArgs(append([]string{"audience", "--url", url}, args...))
	root.SetOut(&out)
	root.SetErr(&out)
	err := root.Execute()
	return out.String(), err
}

// answering is a server that always answers the same, and what it was asked.
func answering(t *testing.T, status int, body string) (url string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Method+" "+r.RequestURI)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

const audienceAnswer = `{"item_id":"pesto","audience":[` +
	`{"customer_id":"c-42","kind":"cross_sell","score":0.31,"value":"1.519","because":[` +
	`{"item_ids":["parmesan"],"kind":"same_customer","support":0.01,"confidence":0.41,"lift":3.2},` +
	`{"item_ids":["spaghetti"],"kind":"next_order","support":0.01,"confidence":0.2,"lift":1.75}]},` +
	`{"customer_id":"단골","kind":"repeat","score":0.04567,"value":null,"because":[{"item_ids":["pesto"],"support":0.02,"confidence":0.5,"lift":25.0}]},` +
	`{"customer_id":"c-7","kind":"cross_sell","score":0.01,"value":null,"because":[]}]}` + "\n"

func TestAudienceTable(t *testing.T) {
	url, asked := answering(t, http.StatusOK, audienceAnswer)
	out, err := audienceOf(url+"/", "--item", "a/b.c d", "--limit", "7")
	require.NoError(t, err)
	require.Equal(t, `customer  kind        score   value  because
c-42      cross_sell  0.3100  1.52   parmesan (same_customer, lift 3.2); spaghetti (next_order, lift 1.8)
단골        repeat      0.0457  —      in 50 % of its own orders
c-7       cross_sell  0.0100  —      it sells well
`, out)
	require.Equal(t, []string{"GET /v1/items/a%2Fb%2Ec%20d/audience?limit=7"}, *asked)

	url, _ = answering(t, http.StatusOK, `{"item_id":"pesto","audience":[]}`)
	out, err = audienceOf(url, "--item", "pesto")
	require.NoError(t, err)
	require.Equal(t, "nobody to tell about \"pesto\"\n", out)
}

func TestAudienceJSON(t *testing.T) {
	url, asked := answering(t, http.StatusOK, audienceAnswer)
	out, err := audienceOf(url, "--item", "pesto", "--out", "json")
	require.NoError(t, err)
	require.Equal(t, audienceAnswer, out)
	require.Equal(t, []string{"GET /v1/items/pesto/audience?limit=20"}, *asked)
}

func TestAudienceFaults(t *testing.T) {
	for _, c := range []struct {
		status     int
		body, want string
	}{
		{404, `{"error":{"code":"not_found","message":"item \"pesto\": not found"}}`, `item "pesto" is unknown to the engine at http://`},
		{404, `{"error":{"code":"not_found","message":"no such endpoint; GET / lists them"}}`, "answered 404: no such endpoint"},
		{503, `{"error":{"code":"not_ready","message":"not ready: state is being restored"}}`, "answered 503: not ready: state is being restored"},
		{404, `<html>`, "answered 404 and not as dangol does: is --url the address of its API?"},
		{200, `<html>`, "the answer is not as dangol's"},
	} {
		url, _ := answering(t, c.status, c.body)
		out, err := audienceOf(url, "--item", "pesto")
		require.ErrorContains(t, err, c.want)
		require.Empty(t, out)
	}

	s := httptest.NewServer(http.NotFoundHandler())
	s.Close() // its port is free now
	_, err := audienceOf(s.URL, "--item", "pesto")
	require.ErrorContains(t, err, "no engine answers at "+s.URL+" (")
	require.ErrorContains(t, err, `connection refused): "dangol run" must be running there; --url names another address`)
}

func TestAudienceArguments(t *testing.T) {
	_, err := audienceOf("127.0.0.1:8080", "--limit", "0", "--out", "xml")
	require.EqualError(t, err, `no item given: dangol audience --item ID
--limit 0 is outside 1 to 1000
--url "127.0.0.1:8080" is no address such as http://127.0.0.1:8080
--out "xml" is neither text nor json`)
}

// knowing answers for one item.
type knowing struct{ pipeline.Query }

func (knowing) Audience(_ context.Context, item string, limit int) ([]score.Target, error) {
	if item != "olives/green." || limit != 1000 {
		return nil, pipeline.ErrNotFound
	}
	return []score.Target{{CustomerID: "c-42", Offer: score.Offer{Kind: "repeat", Score: .25, Value: 2.5}}}, nil
}

// The command and the API speak of the same things.
func TestAudienceAsksTheAPI(t *testing.T) {
	server, err := api.New(api.DefaultConfig(), api.Parts{Query: knowing{}, Encoder: encode.JSON{}})
	require.NoError(t, err)
	s := httptest.NewServer(server.Handler())
	defer s.Close()
	out, err := audienceOf(s.URL, "--item", "olives/green.", "--limit", "1000")
	require.NoError(t, err)
	require.Contains(t, out, "\nc-42      repeat  0.2500  2.50   it sells well\n")
	_, err = audienceOf(s.URL, "--item", "olives/black")
	require.EqualError(t, err, `item "olives/black" is unknown to the engine at `+s.URL+": it has seen no event with it")
}
