package main

import (
	"encoding"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// exampleConfig is the annotated configuration with every key at its default,
// written from the definitions themselves.
func exampleConfig() string {
	var b strings.Builder
	b.WriteString(`# Every setting of dangol, at its default. Keep what you change; the rest may go.
#
# ${NAME} in a value is the environment variable NAME, which must be set.
# Check a file with: dangol check -c FILE
# On the command line --set input.topic=orders lays one value over the file.
`)
	c := DefaultConfig()
	writeExample(&b, reflect.ValueOf(&c).Elem(), 0)
	return b.String()
}

func writeExample(b *strings.Builder, v reflect.Value, depth int) {
	indent := strings.Repeat("  ", depth)
	for _, f := range fields(v.Type()) {
		if depth == 0 {
			b.WriteString("\n")
		}
		for _, line := range wrap(f.doc, 100-len(indent)) {
			b.WriteString(indent + "# " + line + "\n")
		}
		fv := v.FieldByIndex(f.index)
		if fv.Kind() == reflect.Struct && !isText(fv) {
			b.WriteString(indent + f.name + ":\n")
			writeExample(b, fv, depth+1)
			continue
		}
		b.WriteString(indent + f.name + ": " + exampleValue(fv) + "\n")
	}
}

// exampleValue writes a value in YAML's one-line form.
func exampleValue(v reflect.Value) string {
	if t, ok := v.Interface().(time.Duration); ok {
		return shortDuration(t)
	}
	if t, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := t.MarshalText()
		if err != nil {
			panic(fmt.Sprintf("configuration: a default cannot be written: %v", err))
		}
		return yamlString(string(text))
	}
	switch v.Kind() {
	case reflect.String:
		return yamlString(v.String())
	case reflect.Slice, reflect.Array:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = exampleValue(v.Index(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Map:
		parts := make([]string, 0, v.Len())
		for _, k := range v.MapKeys() {
			parts = append(parts, exampleValue(k)+": "+exampleValue(v.MapIndex(k)))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case reflect.Struct:
		var parts []string
		for _, f := range fields(v.Type()) {
			parts = append(parts, f.name+": "+exampleValue(v.FieldByIndex(f.index)))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(v.Interface())
}

// yamlString quotes s only where YAML would take it for something else.
func yamlString(s string) string {
	n := yaml.Node{Kind: yaml.ScalarNode, Value: s}
	if s == "" || n.ShortTag() != "!!str" || strings.ContainsAny(s, "#{}[],&*!|>'\"%@`") || strings.TrimSpace(s) != s || strings.Contains(s, ": ") {
		return strconv.Quote(s)
	}
	return s
}

// shortDuration is t without the zero units at its end: 24h, not 24h0m0s.
func shortDuration(t time.Duration) string {
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// wrap breaks text into lines of at most width characters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
