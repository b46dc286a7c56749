package api

import "net/http"

// enterScan waits for a slot where asOf is another instant than the present:
// such a query reads every customer. The caller must call leave.
func (s *Server) enterScan(r *http.Request, asOf int64) (leave func(), err error) {
	if asOf == 0 {
		return func() {}, nil
	}
	if err := s.scans.enter(r.Context()); err != nil {
		return nil, err
	}
	return s.scans.leave, nil
}

// enterAsOf reads the one parameter of a question about an instant and waits for
// its turn. leave is to be called where there is no error.
func (s *Server) enterAsOf(r *http.Request) (asOf int64, leave func(), err error) {
	values, err := params(r, "as_of")
	if err != nil {
		return 0, nil, err
	}
	if asOf, err = asOfParam(values); err != nil {
		return 0, nil, err
	}
	leave, err = s.enterScan(r, asOf)
	return asOf, leave, err
}

// customer answers GET /v1/customers/{id}.
func (s *Server) customer(_ http.ResponseWriter, r *http.Request) ([]byte, error) {
	id, err := pathID(r)
	if err != nil {
		return nil, err
	}
	asOf, leave, err := s.enterAsOf(r)
	if err != nil {
		return nil, err
	}
	defer leave()
	doc, err := s.parts.Query.Customer(r.Context(), id, asOf)
	if err != nil {
		return nil, &queryError{kind: "customer", ids: []string{id}, err: err}
	}
	return s.parts.Encoder.AppendScores(nil, doc), nil
}

// population answers GET /v1/population.
func (s *Server) population(_ http.ResponseWriter, r *http.Request) ([]byte, error) {
	asOf, leave, err := s.enterAsOf(r)
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
