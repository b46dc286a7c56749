package main

import "fmt"

func formatUsage() string { return "`format` of the file: json" }

func openSource(path, format string) (source, error) {
	if format != jsonFormat {
		return nil, fmt.Errorf("--format %q: want json", format)
	}
	return openLines(path)
}
