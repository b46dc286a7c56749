package api

import (
	"context"
	"net/http"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// enterScan waits for a slot where asOf is another instant than the present:
// such a query reads every customer. The caller must call leave.
func (s *Server) enterScan(ctx context.Context, asOf int64) (leave func(), err error) {
	if asOf == 0 {
		return func() {}, nil
	}
	if err := s.scans.enter(ctx); err != nil {
		return nil, err
	}
	return s.scans.leave, nil
}

// asOfOnly reads the one parameter of a question about an instant.
func asOfOnly(r *http.Request) (int64, error) {
	values, err := params(r, "as_of")
	if err != nil {
		return 0, err
	}
	return asOfParam(values)
}

// customer answers GET /v1/customers/{id}.
func (s *Server) customer(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	id, err := pathID(r)
	if err != nil {
		return nil, err
	}
	asOf, err := asOfOnly(r)
	if err != nil {
		return nil, err
	}
	docs, err := s.customers(w, r, []string{id}, asOf, s.putOne(r, asOf))
	if err != nil {
		return nil, err
	}
	if docs[0] == nil {
		return nil, &queryError{kind: "customer", ids: []string{id}, err: pipeline.ErrNotFound}
	}
	return docs[0], nil
}

// population answers GET /v1/population.
func (s *Server) population(_ http.ResponseWriter, r *http.Request) ([]byte, error) {
	asOf, err := asOfOnly(r)
	if err != nil {
		return nil, err
	}
	leave, err := s.enterScan(r.Context(), asOf)
	if err != nil {
		return nil, err
	}
	defer leave()
	p, err := s.parts.Query.Population(r.Context(), asOf)
	if err != nil {
		return nil, &queryError{kind: "population", err: err}
	}
	return s.parts.Encoder.AppendPopulation(nil, p), nil
}

// models answers GET /v1/models.
func (s *Server) models(_ http.ResponseWriter, r *http.Request) ([]byte, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	m, err := s.parts.Query.Models(r.Context())
	if err != nil {
		return nil, &queryError{kind: "models", err: err}
	}
	return s.parts.Encoder.AppendModels(nil, m), nil
}

// health answers GET /healthz: the process lives and serves. It asks nothing
// of the engine, so that a long recovery is not taken for a death.
func health(http.ResponseWriter, *http.Request) ([]byte, error) {
	return []byte(`{"status":"ok"}`), nil
}

// ready answers GET /readyz. The reason is the engine's own, written for operators.
func (s *Server) ready(http.ResponseWriter, *http.Request) ([]byte, error) {
	if err := s.parts.Query.Ready(); err != nil {
		return nil, &fault{status: http.StatusServiceUnavailable, code: codeNotReady, message: err.Error(), retryAfter: 1}
	}
	return []byte(`{"status":"ready"}`), nil
}
