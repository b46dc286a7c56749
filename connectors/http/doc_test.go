package api

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// docs/api.md shows how each endpoint is called, every error code and every limit.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	require.NoError(t, err)
	doc := string(text)
	for _, r := range append(newRig(t, nil).server.routes(), route{method: "GET", path: "/"}) {
		require.Contains(t, doc, r.method+" "+r.path)
		call, _, _ := strings.Cut(r.path, "{id}")
		require.Regexp(t, `(?m)^    curl .*'http://127\.0\.0\.1:8080`+call, doc)
	}
	for _, code := range []string{codeInvalid, codeNotFound, codeMethod, codeSlowBody, codeTooLarge, codeMediaType,
		codeBusy, codeTimeout, codeNotReady, codeIncomplete, codeStopping, codeInternal} {
		require.Contains(t, doc, " | `"+code+"` | ")
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		require.NotEmpty(t, field.Tag.Get("doc"), field.Name)
		require.Contains(t, doc, fmt.Sprintf("\n| `http.%s` | ", field.Tag.Get("yaml")))
	}
}
