package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fault is one thing that is wrong with a configuration.
type fault struct {
	path string // of the key: "input.topic"; empty: the file as a whole
	line int    // in the file; 0: not from a line of it
	text string
}

// configError is everything that is wrong with a configuration.
type configError struct {
	file   string // empty: none was given
	faults []fault
}

// Error puts each fault on a line of its own.
func (e *configError) Error() string {
	lines := make([]string, len(e.faults))
	for i, f := range e.faults {
		var b strings.Builder
		if e.file != "" {
			b.WriteString(e.file)
			if f.line > 0 {
				fmt.Fprintf(&b, ":%d", f.line)
			}
			b.WriteString(": ")
		}
		if f.path != "" {
			b.WriteString(f.path + ": ")
		}
		b.WriteString(f.text)
		lines[i] = b.String()
	}
	return strings.Join(lines, "\n")
}

// loadConfig reads the file at path (none when empty), lays the sets
// ("key.path=value") over it, and what is then missing is the default. It
// returns every fault at once, as a *configError.
func loadConfig(path string, sets []string) (*Config, error) {
	c := DefaultConfig()
	var text []byte
	if path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
		text = b
	}
	if faults := decodeConfig(text, sets, os.LookupEnv, &c); len(faults) > 0 {
		return nil, &configError{path, faults}
	}
	return &c, nil
}

// decodeConfig fills c from text and sets, and validates it.
func decodeConfig(text []byte, sets []string, env func(string) (string, bool), c *Config) []fault {
	root, err := parseYAML(text)
	if err != nil {
		return []fault{{text: err.Error()}}
	}
	d := configDecoder{lines: map[string]int{}, schema: reflect.TypeOf(*c)}
	d.expand(root, "", env)
	for _, s := range sets {
		d.set(root, s)
	}
	d.decode(root, reflect.ValueOf(c).Elem(), "")
	unread := slices.Clone(d.faults)
	for _, err := range flatten(c.Validate()) {
		path, text, ok := strings.Cut(err.Error(), ": ")
		if !ok {
			path, text = "", err.Error()
		}
		// What could not be read is not judged, too.
		if !slices.ContainsFunc(unread, func(f fault) bool { return within(path, f.path) || within(f.path, path) }) {
			d.faults = append(d.faults, fault{path, d.line(path), text})
		}
	}
	return d.faults
}

// within reports whether path is outer or lies below it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && outer != "" && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// parseYAML returns the root of the one document in text.
func parseYAML(text []byte) (*yaml.Node, error) {
	empty := &yaml.Node{Kind: yaml.MappingNode}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return empty, nil
	case err != nil:
		return nil, err
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("holds more than one document: keep one, without a second \"---\"")
	}
	root := doc.Content[0]
	if root.Tag == "!!null" {
		return empty, nil
	}
	return root, nil
}

// variable finds ${NAME}, and $${ which stands for a plain ${.
var variable = regexp.MustCompile(`\$\$\{|\$\{([^}]*)\}?`)

// expand replaces ${NAME} in every value by the environment's. An unset
// variable is a fault: an empty password is never what was meant.
func (d *configDecoder) expand(n *yaml.Node, path string, env func(string) (string, bool)) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			d.expand(n.Content[i+1], join(path, n.Content[i].Value), env)
		}
	case yaml.SequenceNode:
		for i, e := range n.Content {
			d.expand(e, fmt.Sprintf("%s[%d]", path, i), env)
		}
	case yaml.ScalarNode:
		if !strings.Contains(n.Value, "${") {
			return
		}
		n.Value = variable.ReplaceAllStringFunc(n.Value, func(m string) string {
			if m == "$${" {
				return "${"
			}
			name := strings.TrimSuffix(strings.TrimPrefix(m, "${"), "}")
			if !strings.HasSuffix(m, "}") || name == "" {
				d.fault(n, path, "%q is not a variable: write ${NAME}, or $${ for the characters themselves", m)
				return ""
			}
			v, ok := env(name)
			if !ok {
				d.fault(n, path, "the environment variable %s is not set", name)
			}
			return v
		})
	}
}

// set lays "a.b=value" over root. The end of a path will do where it is the end
// of one path only: window_days for rfm.window_days. The value is YAML; for a
// list, values separated by commas do as well.
func (d *configDecoder) set(root *yaml.Node, s string) {
	path, value, ok := strings.Cut(s, "=")
	if path = strings.TrimSpace(path); !ok || path == "" {
		d.faults = append(d.faults, fault{text: fmt.Sprintf("--set %q: want key=value, such as --set input.topic=events", s)})
		return
	}
	switch full := pathsEndingIn(d.schema, "", path); {
	case len(full) == 1:
		path = full[0]
	case len(full) > 1 && !slices.Contains(full, path):
		d.faults = append(d.faults, fault{path: path, text: "--set: which one? " + strings.Join(full, ", ")})
		return
	}
	v := &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle} // an empty value is the empty string
	if strings.TrimSpace(value) != "" {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(value), &doc); err != nil || len(doc.Content) == 0 {
			d.faults = append(d.faults, fault{path: path, text: fmt.Sprintf("--set: %q is not a YAML value", value)})
			return
		}
		v = doc.Content[0]
	}
	clearLines(v)
	n := root
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		child := lookup(n, key)
		if child == nil || child.Kind != yaml.MappingNode {
			child = &yaml.Node{Kind: yaml.MappingNode}
			put(n, key, child)
		}
		n = child
	}
	put(n, keys[len(keys)-1], v)
}

func clearLines(n *yaml.Node) {
	n.Line = 0
	for _, c := range n.Content {
		clearLines(c)
	}
}

func lookup(m *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return nil
}

func put(m *yaml.Node, key string, v *yaml.Node) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			m.Content[i+1] = v
			return
		}
	}
	m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, v)
}
