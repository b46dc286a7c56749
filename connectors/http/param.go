package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dangol-dev/dangol/engine/score"
)

// maxInstant is the last millisecond of the year 9999, the last that RFC 3339 can write.
const maxInstant = 253402300799999

// pathID is the id in the path, unescaped.
func pathID(r *http.Request) (string, error) {
	id, err := url.PathUnescape(strings.Split(r.URL.EscapedPath(), "/")[idSegment])
	if err != nil || !utf8.ValidString(id) {
		return "", invalid("id: is not UTF-8")
	}
	return id, nil
}

// params reads the query string strictly: a misspelt as_of that is passed over
// would be answered with the scores of another instant.
func params(r *http.Request, known ...string) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid("query string: is malformed; percent-encode what is not a letter or a digit")
	}
	for name, vs := range values {
		switch {
		case !slices.Contains(known, name) && len(known) == 0:
			return nil, invalid("%s: unknown parameter; this endpoint takes none", shown(name))
		case !slices.Contains(known, name):
			return nil, invalid("%s: unknown parameter; this endpoint takes %s", shown(name), strings.Join(known, ", "))
		case len(vs) > 1:
			return nil, invalid("%s: given %d times, want once", name, len(vs))
		}
	}
	return values, nil
}

// asOfParam is the parameter as_of in Unix milliseconds; 0 where there is none.
func asOfParam(values url.Values) (int64, error) {
	if !values.Has("as_of") {
		return 0, nil
	}
	return parseInstant(values.Get("as_of"))
}

// parseInstant reads RFC 3339 or Unix milliseconds, after 1970-01-01T00:00:00Z
// (0 means the present inside) and within the year 9999.
func parseInstant(s string) (int64, error) {
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			hint := ""
			if strings.Contains(s, " ") {
				hint = "; in a URL, write + as %2B"
			}
			return 0, invalid(`as_of: %s is neither RFC 3339, such as "2026-11-21T09:30:00Z", nor Unix milliseconds%s`, shown(s), hint)
		}
		ms = t.UnixMilli()
	}
	if ms < 1 || ms > maxInstant {
		return 0, invalid("as_of: %s is outside 1970-01-01T00:00:00.001Z to 9999-12-31T23:59:59.999Z", shown(s))
	}
	return ms, nil
}

// Bounds of k, how many neighbours, and of limit, how many customers.
const (
	defaultK, maxK         = 10, 100
	defaultLimit, maxLimit = 100, 1000
)

// countParam is a parameter that says how many, from 1 on.
func countParam(values url.Values, name string, absent, most int) (int, error) {
	if !values.Has(name) {
		return absent, nil
	}
	n, err := strconv.Atoi(values.Get(name))
	if err != nil || n < 1 || n > most {
		return 0, invalid("%s: %s is not a whole number from 1 to %d", name, shown(values.Get(name)), most)
	}
	return n, nil
}

// checkKind refuses what is no kind of evidence.
func checkKind(kind string) error {
	kinds := score.EvidenceKinds()
	if !slices.Contains(kinds[:], kind) {
		return invalid("kind: %s is none of %s", shown(kind), strings.Join(kinds[:], ", "))
	}
	return nil
}
