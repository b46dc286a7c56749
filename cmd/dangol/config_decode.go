package main

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// configDecoder fills a struct from a YAML tree, strictly: an unknown key, a
// key given twice and a value of another type are faults, and it goes on to
// find the next one.
type configDecoder struct {
	faults []fault
	lines  map[string]int // of the keys met, by path
	schema reflect.Type   // of the whole, for suggestions
}

func (d *configDecoder) fault(n *yaml.Node, path, format string, args ...any) {
	d.faults = append(d.faults, fault{path, n.Line, fmt.Sprintf(format, args...)})
}

// line is where path, or the nearest thing around it, stands in the file.
func (d *configDecoder) line(path string) int {
	for path != "" {
		if n, ok := d.lines[path]; ok {
			return n
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// decode puts the value of n into v.
func (d *configDecoder) decode(n *yaml.Node, v reflect.Value, path string) {
	d.lines[path] = n.Line
	isNull := n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
	switch {
	case n.Kind == yaml.AliasNode:
		d.fault(n, path, "is an alias (*%s): write the value out", n.Value)
	case isNull && v.Kind() == reflect.Struct && !isText(v):
		// A section of which every key is commented out.
	case isNull:
		d.fault(n, path, "has no value: give one, or remove the key for the default")
	case v.Kind() == reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		d.decode(n, p.Elem(), path)
		v.Set(p)
	case isText(v) || v.Type() == durationType:
		d.scalar(n, v, path)
	case v.Kind() == reflect.Struct:
		d.object(n, v, path)
	case v.Kind() == reflect.Map:
		d.dictionary(n, v, path)
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		d.list(n, v, path)
	default:
		d.scalar(n, v, path)
	}
}

func isText(v reflect.Value) bool { return v.CanAddr() && v.Addr().Type().Implements(textType) }

func (d *configDecoder) object(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, path, "want keys and values below it, not a %s", kindName(n))
		return
	}
	known := fields(v.Type())
	d.eachKey(n, path, func(key, value *yaml.Node) {
		at := join(path, key.Value)
		i := slices.IndexFunc(known, func(f field) bool { return f.name == key.Value })
		if i < 0 {
			d.fault(key, at, "unknown key%s", d.suggest(key.Value, path, known))
			return
		}
		d.decode(value, v.FieldByIndex(known[i].index), at)
	})
}

// eachKey calls fn for the keys of a mapping and finds those given twice.
func (d *configDecoder) eachKey(n *yaml.Node, path string, fn func(key, value *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if first, ok := seen[key.Value]; ok {
			d.fault(key, join(path, key.Value), "given twice, first on line %d", first)
			continue
		}
		seen[key.Value] = key.Line
		fn(key, n.Content[i+1])
	}
}

func (d *configDecoder) dictionary(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, path, "want keys and values below it, not a %s", kindName(n))
		return
	}
	m := reflect.MakeMap(v.Type())
	d.eachKey(n, path, func(key, value *yaml.Node) {
		k := reflect.New(v.Type().Key()).Elem()
		e := reflect.New(v.Type().Elem()).Elem()
		at := join(path, key.Value)
		d.decode(key, k, at)
		d.decode(value, e, at)
		m.SetMapIndex(k, e)
	})
	v.Set(m)
}

func (d *configDecoder) list(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind == yaml.ScalarNode && n.Line == 0 { // from --set: a,b,c
		parts := strings.Split(n.Value, ",")
		n = &yaml.Node{Kind: yaml.SequenceNode}
		for _, p := range parts {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: strings.TrimSpace(p)})
		}
	}
	if n.Kind != yaml.SequenceNode {
		d.fault(n, path, "want a list, such as [a, b], not a %s", kindName(n))
		return
	}
	if v.Kind() == reflect.Array && len(n.Content) != v.Len() {
		d.fault(n, path, "want %d values, not %d", v.Len(), len(n.Content))
		return
	}
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	}
	for i, e := range n.Content {
		d.decode(e, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

func (d *configDecoder) scalar(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.fault(n, path, "want a single value, not a %s", kindName(n))
		return
	}
	s := n.Value
	if isText(v) {
		if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
			d.fault(n, path, "%q: %s", s, err)
		}
		return
	}
	var err error
	want := ""
	switch kind := v.Kind(); {
	case v.Type() == durationType:
		var t time.Duration
		t, err = time.ParseDuration(s)
		v.SetInt(int64(t))
		want = "a duration with its unit, such as 100ms, 5m or 24h"
	case kind == reflect.String:
		v.SetString(s)
	case kind == reflect.Bool:
		var b bool
		if b = s == "true"; !b && s != "false" {
			err = strconv.ErrSyntax
		}
		v.SetBool(b)
		want = "true or false"
	case v.CanInt():
		var i int64
		i, err = strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, v.Type().Bits())
		v.SetInt(i)
		want = "a whole number"
	case v.CanUint():
		var u uint64
		u, err = strconv.ParseUint(strings.ReplaceAll(s, "_", ""), 10, v.Type().Bits())
		v.SetUint(u)
		want = "a whole number, 0 or more"
	case v.CanFloat():
		var f float64
		f, err = strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), v.Type().Bits())
		v.SetFloat(f)
		want = "a number"
	default:
		panic(fmt.Sprintf("configuration: %s has a type that is not supported: %s", path, v.Type()))
	}
	if err != nil {
		d.fault(n, path, "%q is not %s", s, want)
	}
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "section"
	case yaml.SequenceNode:
		return "list"
	}
	return "single value"
}

// field is a key of a section.
type field struct {
	name  string
	doc   string
	index []int
	typ   reflect.Type
}

// fields lists the keys of a struct in their order; those of an inlined struct
// stand among them.
func fields(t reflect.Type) []field {
	var fs []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			for _, in := range fields(f.Type) {
				in.index = append([]int{i}, in.index...)
				fs = append(fs, in)
			}
		case name != "" && name != "-" && f.IsExported():
			fs = append(fs, field{name, f.Tag.Get("doc"), []int{i}, f.Type})
		}
	}
	return fs
}

// suggest says what the unknown key may have been meant to be: a key of the
// same section that is spelt alike, or the same key elsewhere.
func (d *configDecoder) suggest(key, path string, known []field) string {
	best, distance := "", 1+len(key)/3
	for _, f := range known {
		if n := editDistance(key, f.name); n <= distance {
			best, distance = f.name, n-1
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %s?", join(path, best))
	}
	if at := pathsEndingIn(d.schema, "", key); len(at) > 0 {
		return fmt.Sprintf("; did you mean %s?", at[0])
	}
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.name
	}
	return "; known here: " + strings.Join(names, ", ")
}

// pathsEndingIn returns the paths in t that are end, or end in it.
func pathsEndingIn(t reflect.Type, path, end string) []string {
	var found []string
	for _, f := range fields(t) {
		at := join(path, f.name)
		if at == end || strings.HasSuffix(at, "."+end) {
			found = append(found, at)
		}
		if f.typ.Kind() == reflect.Struct {
			found = append(found, pathsEndingIn(f.typ, at, end)...)
		}
	}
	return found
}

// editDistance is Levenshtein's: insertions, deletions and replacements of a
// byte that make a into b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
