package api

import (
	_ "embed"
	"net/http"
)

// openAPI is what GET /openapi.yaml serves.
//
//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the API's description, OpenAPI 3.1 in YAML. The caller must
// not change it.
func OpenAPI() []byte { return openAPI }

func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI)
}
