package oracle

import "bytes"

// WithoutCategories appends an event without its items' categories. How many
// categories a customer buys from is looked up in a dictionary that each process
// fills as it goes, so a document's loyalty would hang on who came first.
func WithoutCategories(dst, value []byte) []byte {
	const field = `"category":"`
	for {
		i := bytes.Index(value, []byte(field))
		if i < 0 {
			return append(dst, value...)
		}
		end := bytes.IndexByte(value[i+len(field):], '"')
		if end < 0 {
			return append(dst, value...)
		}
		dst = append(dst, value[:i]...)
		value = bytes.TrimPrefix(value[i+len(field)+end+1:], []byte(","))
	}
}
