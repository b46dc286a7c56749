package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// newPeerRequest makes the request of a question to another instance.
func newPeerRequest(ctx context.Context, q *question, target string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, target, bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	mode := forwardedOwn
	if q.copies {
		mode = forwardedCopies
	}
	req.Header.Set(headerForwarded, mode)
	if q.body != nil {
		req.Header.Set("Content-Type", "application/json")
		// It changes nothing, so it may be sent again where a kept connection turns
		// out to be closed. An empty key says so, and is not sent.
		req.Header["Idempotency-Key"] = []string{}
	}
	return req, nil
}

// tellPartitions says which partitions a forwarded request was answered for.
func tellPartitions(h http.Header, held []int32) {
	text := make([]string, len(held))
	for i, p := range held {
		text[i] = strconv.Itoa(int(p))
	}
	h.Set(headerPartitions, strings.Join(text, ","))
}

// toldPartitions reads what tellPartitions wrote; known is false where there is
// nothing of it.
func toldPartitions(h http.Header) (held []int32, known bool, err error) {
	if len(h.Values(headerPartitions)) == 0 {
		return nil, false, nil
	}
	text := h.Get(headerPartitions)
	if text == "" {
		return nil, true, nil
	}
	for field := range strings.SplitSeq(text, ",") {
		p, err := strconv.ParseInt(field, 10, 32)
		if err != nil {
			return nil, false, fmt.Errorf("%s: %q is no partition", headerPartitions, field)
		}
		held = append(held, int32(p))
	}
	return held, true, nil
}

// tellInstances says who answered.
func tellInstances(h http.Header, instances ...string) {
	text := make([]string, len(instances))
	for i, name := range instances {
		text[i] = url.PathEscape(name) // leaves no comma
	}
	h.Set(headerInstance, strings.Join(text, ", "))
}

// tellAge says how old a copy is.
func tellAge(h http.Header, age time.Duration) {
	h.Set(headerStale, strconv.FormatFloat(max(age, 0).Seconds(), 'f', 3, 64))
}

// toldAge reads what tellAge wrote; copied is false where there is nothing of it.
func toldAge(h http.Header) (age time.Duration, copied bool, err error) {
	text := h.Get(headerStale)
	if text == "" {
		return 0, false, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds >= 0 && seconds < 1e9) {
		return 0, false, fmt.Errorf("%s: %q is no age", headerStale, text)
	}
	return time.Duration(seconds * float64(time.Second)), true, nil
}
