package api

import (
	"fmt"
	"net/http"
	"strings"
)

// indexText lists the endpoints, for a person.
func indexText(rs []route) string {
	var b strings.Builder
	b.WriteString("dangol: customer scores that are true now\n\n")
	for _, r := range rs {
		fmt.Fprintf(&b, "%-5s%-27s%s\n", r.method, r.path, r.about)
	}
	b.WriteString("\nIds are percent-encoded: / is %2F. as_of is RFC 3339 or Unix milliseconds.\n")
	return b.String()
}

// serveIndex answers GET /.
func serveIndex(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(text))
	})
}
