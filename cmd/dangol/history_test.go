package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// clicks are lines of YOOCHOOSE's form.
func clicks(t *testing.T, name string, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte("SessionId\tItemId\tTime\n"+strings.Join(lines, "\n")+"\n"), 0o600))
	return path
}

// A history in two files gives what it gives in one.
func TestReplayOfSeveralFiles(t *testing.T) {
	train := clicks(t, "train.txt", "1\t10\t1396860669.277", "2\t10\t1396860670", "1\t11\t1396860886.998")
	test := clicks(t, "test.txt", "3\t12\t1396871797.614", "3\t12\tsoon")
	whole := clicks(t, "whole.txt", "1\t10\t1396860669.277", "2\t10\t1396860670", "1\t11\t1396860886.998", "3\t12\t1396871797.614")
	facts := func(inputs ...string) (string, string) {
		to := filepath.Join(t.TempDir(), "facts")
		args := []string{"replay", "--format", "yoochoose", "--facts", to}
		for _, in := range inputs {
			args = append(args, "--input", in)
		}
		out, _, err := run(t, args...)
		require.NoError(t, err)
		b, err := os.ReadFile(to)
		require.NoError(t, err)
		return out, string(b)
	}
	out, several := facts(test, train)
	require.Contains(t, out, "5 lines, 4 events")
	require.Contains(t, out, fmt.Sprintf("    %s, line 3: bad_time: field Time\n", test))
	_, one := facts(whole)
	require.Equal(t, 3, strings.Count(one, "\n"))
	require.Equal(t, one, several)
}

func TestInputName(t *testing.T) {
	o := historyOptions{input: []string{"a/train.txt", "b/test.txt"}}
	require.Equal(t, "train.txt, test.txt", o.inputName())
}

// JSON files are passed on one after the other, whatever their times.
func TestLinesOfSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for i, text := range []string{"{\"a\":1}\n\n{", "", "{}\r\n"} {
		paths = append(paths, filepath.Join(dir, fmt.Sprint(i)))
		require.NoError(t, os.WriteFile(paths[i], []byte(text), 0o600))
	}
	src, err := openSources(paths, jsonFormat, nil)
	require.NoError(t, err)
	var got []string
	for {
		o, err := src.next()
		if err != nil {
			require.ErrorContains(t, err, "EOF")
			break
		}
		got = append(got, string(o.value))
	}
	require.Equal(t, []string{`{"a":1}`, "{", "{}"}, got)
	require.Equal(t, "; 3 of them are no events and have no key; 1 empty lines left out", src.report())
	require.NoError(t, src.Close())

	_, err = openSources([]string{paths[0], filepath.Join(dir, "none")}, jsonFormat, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}
