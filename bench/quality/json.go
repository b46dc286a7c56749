package quality

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
)

// WriteJSON writes the report as indented JSON. What is not known is null:
// encoding/json has no word for NaN and refuses it.
func (r *Report) WriteJSON(w io.Writer) error {
	said := *r
	said.Findings = r.findings()
	raw, err := appendJSON(nil, reflect.ValueOf(said))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err = w.Write(out.Bytes())
	return err
}

// appendJSON appends v as encoding/json would write it, but for numbers that it
// cannot write and for slices, which are [] where they are nil.
func appendJSON(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.Float64:
		if !finite(v.Float()) {
			return append(b, "null"...), nil
		}
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		return appendJSON(b, v.Elem())
	case reflect.Struct:
		return appendEach(append(b, '{'), v, v.NumField(), v.Field, '}')
	case reflect.Slice, reflect.Array:
		return appendEach(append(b, '['), v, v.Len(), v.Index, ']')
	}
	raw, err := json.Marshal(v.Interface())
	return append(b, raw...), err
}

// appendEach appends the n parts of v, with their names where it is a struct.
func appendEach(b []byte, v reflect.Value, n int, part func(int) reflect.Value, end byte) ([]byte, error) {
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		if v.Kind() == reflect.Struct {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			b = append(append(append(b, '"'), name...), `":`...)
		}
		var err error
		if b, err = appendJSON(b, part(i)); err != nil {
			return nil, err
		}
	}
	return append(b, end), nil
}
