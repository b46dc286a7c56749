package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

type audienceOptions struct {
	item, url, out string
	limit          int
	timeout        time.Duration
}

func newAudienceCommand() *cobra.Command {
	o := audienceOptions{timeout: time.Minute}
	cmd := &cobra.Command{
		Use:   "audience --item ID",
		Short: "List the customers to tell about an item",
		Long: `Audience asks a running engine, over its API, for the customers who are most
likely to have the item in their next order, best first: how likely, what that is
worth in the shop's currency, and because of what.`,
		Example: `  dangol audience --item pesto --limit 50
  dangol audience --item pesto --out json --url http://10.0.0.7:8080`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			body, err := o.ask(cmd.Context())
			if err != nil {
				return err
			}
			if o.out == "json" {
				_, err := cmd.OutOrStdout().Write(body)
				return err
			}
			return writeAudience(cmd.OutOrStdout(), body)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.item, "item", "", "`id` of the item")
	f.IntVar(&o.limit, "limit", 20, "most customers to list, 1 to 1000")
	f.StringVar(&o.url, "url", "http://127.0.0.1:8080", "`address` of the engine's API (http.listen)")
	f.StringVar(&o.out, "out", "text", "`form`: text or json")
	return cmd
}

func (o *audienceOptions) check() error {
	var errs []error
	if o.item == "" {
		errs = append(errs, errors.New("no item given: dangol audience --item ID"))
	}
	if o.limit < 1 || o.limit > 1000 {
		errs = append(errs, fmt.Errorf("--limit %d is outside 1 to 1000", o.limit))
	}
	if u, err := url.Parse(o.url); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		errs = append(errs, fmt.Errorf("--url %q is no address such as http://127.0.0.1:8080", o.url))
	}
	if o.out != "text" && o.out != "json" {
		errs = append(errs, fmt.Errorf("--out %q is neither text nor json", o.out))
	}
	return errors.Join(errs...)
}

// ask returns the API's answer. An error of the API is told in its own words.
func (o *audienceOptions) ask(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	at := fmt.Sprintf("%s/v1/items/%s/audience?limit=%d", strings.TrimRight(o.url, "/"), pathSegment(o.item), o.limit)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return nil, fmt.Errorf("no engine answers at %s (%w): \"dangol run\" must be running there; --url names another address", o.url, dial.Err)
	case err != nil:
		return nil, fmt.Errorf("asking %s: %w", o.url, errors.Unwrap(err))
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", o.url, err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, o.refusal(res.StatusCode, body)
	}
	return body, nil
}

// pathSegment escapes an id, its dots too: a client would resolve them.
func pathSegment(id string) string { return strings.ReplaceAll(url.PathEscape(id), ".", "%2E") }

// refusal is an answer other than the one asked for.
func (o *audienceOptions) refusal(status int, body []byte) error {
	var wire struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	switch {
	case json.Unmarshal(body, &wire) != nil || wire.Error.Message == "":
		return fmt.Errorf("%s answered %d and not as dangol does: is --url the address of its API?", o.url, status)
	case wire.Error.Code == "not_found" && strings.HasPrefix(wire.Error.Message, "item "):
		return fmt.Errorf("item %q is unknown to the engine at %s: it has seen no event with it", o.item, o.url)
	}
	return fmt.Errorf("%s answered %d: %s", o.url, status, wire.Error.Message)
}

// writeAudience writes the API's answer as a table.
func writeAudience(w io.Writer, body []byte) error {
	var wire struct {
		ItemID   string `json:"item_id"`
		Audience []struct {
			CustomerID string        `json:"customer_id"`
			Kind       string        `json:"kind"`
			Score      float64       `json:"score"`
			Value      *float64      `json:"value,string"`
			Because    []reasonGiven `json:"because"`
		} `json:"audience"`
	}
	if err := json.Unmarshal(body, &wire); err != nil {
		return fmt.Errorf("the answer is not as dangol's: %w", err)
	}
	if len(wire.Audience) == 0 {
		_, err := fmt.Fprintf(w, "nobody to tell about %q\n", wire.ItemID)
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "customer\tkind\tscore\tvalue\tbecause")
	for _, c := range wire.Audience {
		value := "—"
		if c.Value != nil {
			value = fmt.Sprintf("%.2f", *c.Value)
		}
		fmt.Fprintf(t, "%s\t%s\t%.4f\t%s\t%s\n", c.CustomerID, c.Kind, c.Score, value, reasons(c.Because))
	}
	return t.Flush()
}

// reasonGiven is a rule on the wire.
type reasonGiven struct {
	ItemIDs    []string `json:"item_ids"`
	Kind       string   `json:"kind"`
	Confidence float64  `json:"confidence"`
	Lift       float64  `json:"lift"`
}

// reasons tells rules in a line.
func reasons(rules []reasonGiven) string {
	if len(rules) == 0 {
		return "it sells well"
	}
	var parts []string
	for _, r := range rules {
		if r.Kind == "" {
			parts = append(parts, fmt.Sprintf("in %.0f %% of its own orders", 100*r.Confidence))
			continue
		}
		parts = append(parts, fmt.Sprintf("%s (%s, lift %.1f)", strings.Join(r.ItemIDs, " + "), r.Kind, r.Lift))
	}
	return strings.Join(parts, "; ")
}
