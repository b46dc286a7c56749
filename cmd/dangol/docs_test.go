package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/connectors/encode"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/journey"
	"github.com/dangol-dev/dangol/engine/rfm"
	"github.com/dangol-dev/dangol/engine/score"
)

// documents returns the text of each document by its path.
func documents(t *testing.T) map[string]string {
	docs := map[string]string{}
	paths, _ := filepath.Glob("../../docs/*.md")
	for _, p := range append(paths, "../../README.md", "../../CONTRIBUTING.md", "../../CHANGELOG.md") {
		b, err := os.ReadFile(p)
		require.NoError(t, err)
		docs[p] = string(b)
	}
	require.Greater(t, len(docs), 8)
	return docs
}

var (
	// What a reader may type: fenced blocks, indented lines, code in a line.
	codePattern    = regexp.MustCompile("(?ms)^```.*?^```|^ {4}[^\n]+|`[^`\n]+`")
	commandPattern = regexp.MustCompile(`(?m)(?:^ *|/|\x60)dangol +([a-z]+)([^\n\x60|>]*)`)
	flagPattern    = regexp.MustCompile(`(?:^|\s)--?([a-z][a-z-]*)(?:[ =]([^\s]+))?`)
)

// Every command that a document prints exists, with its flags, and every
// setting that it sets.
func TestDocumentedCommands(t *testing.T) {
	var commands, flags, sets int
	for path, text := range documents(t) {
		for _, code := range codePattern.FindAllString(text, -1) {
			for _, m := range commandPattern.FindAllStringSubmatch(code, -1) {
				cmd, _, err := newRootCommand().Find(append([]string{m[1]}, strings.Fields(m[2])...))
				require.NoError(t, err, "%s: %s", path, m[0])
				require.Equal(t, m[1], strings.Fields(cmd.CommandPath())[1], "%s: %s", path, m[0])
				commands++
				for _, f := range flagPattern.FindAllStringSubmatch(m[2], -1) {
					known := cmd.Flags().Lookup(f[1])
					if len(f[1]) == 1 {
						known = cmd.Flags().ShorthandLookup(f[1])
					}
					require.NotNil(t, known, "%s: %s: no flag %s", path, m[0], f[1])
					flags++
					if f[1] == "set" {
						_, err = loadConfig("", []string{f[2]})
						require.NoError(t, err, "%s: %s", path, m[0])
						sets++
					}
				}
			}
		}
	}
	require.True(t, commands > 20 && flags > 20 && sets > 2, "%d commands, %d flags, %d settings", commands, flags, sets)
}

// docs/scores.md names every field of the document and of a change, by its
// path, and every segment, stage and timer.
func TestDocumentedFields(t *testing.T) {
	text := documents(t)["../../docs/scores.md"]
	doc := &score.Scores{
		CustomerID: "c", Version: 1, RFM: &score.RFM{PreviousSegment: "new"}, Churn: &score.Churn{}, Loyalty: &score.Loyalty{},
		NextBest: []score.Offer{{Because: []score.Because{{}}}}, Reasons: []score.Reason{{}},
	}
	change, wire := score.Change{Version: 1, Cause: score.Cause{EventID: "e", Timer: "t"}, Scores: doc}, map[string]any{}
	line := encode.JSON{}.AppendChange(nil, &change, encode.JSON{}.AppendScores(nil, doc))
	require.NoError(t, json.Unmarshal(line, &wire))
	names := fieldPaths("", wire["scores"])
	require.Greater(t, len(names), 50)
	delete(wire, "scores")
	names = append(append(names, "scores"), fieldPaths("", wire)...)
	for _, s := range journey.Stages() {
		names = append(names, s.String())
	}
	for timer := score.TimerRecency; timer <= score.TimerProbability; timer++ {
		names = append(names, timer.String())
	}
	for _, name := range names {
		require.True(t, strings.Contains(text, "`"+name+"`"), name)
	}
	for _, name := range rfm.Segments() {
		require.True(t, strings.Contains(text, " "+name+" |"), name)
	}
}

// fieldPaths lists the paths of v's fields; a list's elements are under its own.
func fieldPaths(under string, v any) (paths []string) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			path := strings.TrimPrefix(under+"."+key, ".")
			paths = append(append(paths, path), fieldPaths(path, value)...)
		}
	case []any:
		for _, value := range v {
			paths = append(paths, fieldPaths(under, value)...)
		}
	}
	return paths
}

// docs/formats.md explains every reason and every type.
func TestDocumentedInput(t *testing.T) {
	text := documents(t)["../../docs/formats.md"]
	for _, r := range event.Reasons() {
		require.True(t, strings.Contains(text, "\n| `"+string(r)+"` | "), r)
	}
	for _, typ := range event.Types() {
		require.True(t, strings.Contains(text, "`"+typ.String()+"`"), typ)
	}
}

// Links between documents lead somewhere, down to the heading.
func TestDocumentLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:\s]*)(?:#([^)\s]+))?\)`)
	heading, punctuation := regexp.MustCompile(`(?m)^#+ (.+)$`), regexp.MustCompile(`[^a-z0-9 _-]`)
	n := 0
	for path, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target := filepath.Join(filepath.Dir(path), m[1])
			if m[1] == "" {
				target = path
			}
			b, err := os.ReadFile(target)
			require.NoError(t, err, "%s: %s", path, m[0])
			var slugs []string
			for _, h := range heading.FindAllStringSubmatch(string(b), -1) {
				slugs = append(slugs, strings.ReplaceAll(punctuation.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
			}
			require.True(t, m[2] == "" || slices.Contains(slugs, m[2]), "%s: %s: no such heading", path, m[0])
			n++
		}
	}
	require.Greater(t, n, 40)
}
