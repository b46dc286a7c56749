package encode

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/dangol-dev/dangol/engine/score"
)

// modelsFormat is the version of the wire form of the fitted models. Fields may
// be added to a version; what a reader would misunderstand is a new one.
const modelsFormat = 1

// AppendModels appends the fitted models. Unlike the documents, which are for
// reading, it tells numbers to the last bit: ParseModels gives back a Learned
// that scores the same. It goes through encoding/json, for models are written
// rarely. A number that is not finite is null.
func (JSON) AppendModels(dst []byte, m *score.Learned) []byte {
	b, err := json.Marshal(modelsOf(m))
	if err != nil { // no type in modelsDoc can fail
		panic("encode: models: " + err.Error())
	}
	return append(dst, b...)
}

// ParseModels reads what AppendModels wrote. An unknown format is an error, and
// so are other columns of the churn model than this program's: a weight would
// be another feature's. What the numbers are worth, score.NewModels judges.
func (JSON) ParseModels(b []byte) (*score.Learned, error) {
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("models: %w", err)
	}
	if head.Format != modelsFormat {
		return nil, fmt.Errorf("models: format %d is unknown to this program, which reads %d", head.Format, modelsFormat)
	}
	var doc modelsDoc
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("models: %w", err)
	}
	m, err := doc.learned()
	if err != nil {
		return nil, fmt.Errorf("models: %w", err)
	}
	return m, nil
}

// number is a float64 with a word for what is not finite: null, which is read
// as not a number.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte(`null`), nil
	}
	return json.Marshal(f)
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	if string(b) == `null` {
		*n = number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// moment is Unix milliseconds, written as the documents write times.
type moment int64

// MarshalJSON implements json.Marshaler.
func (m moment) MarshalJSON() ([]byte, error) { return appendTime(nil, int64(m)), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (m *moment) UnmarshalJSON(b []byte) error {
	var t *time.Time
	if err := json.Unmarshal(b, &t); err != nil {
		return err
	}
	if *m = 0; t != nil {
		*m = moment(t.UnixMilli())
	}
	return nil
}
