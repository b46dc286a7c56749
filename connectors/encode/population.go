package encode

import (
	"maps"
	"slices"

	"github.com/dangol-dev/dangol/engine/score"
)

// AppendPopulation appends what is true of all customers together. Names are
// sorted, so that equal populations have equal bytes. It allocates for that.
func (JSON) AppendPopulation(dst []byte, p *score.Population) []byte {
	b := appendTime(append(dst, `{"as_of":`...), p.AsOf)
	b = appendInt(append(b, `,"customers":`...), p.Customers)
	b = appendInt(append(b, `,"buyers":`...), p.Buyers)
	b = appendCounts(append(b, `,"segments":`...), p.Segments)
	b = appendCounts(append(b, `,"stages":`...), p.Stages)
	b = appendCounts(append(b, `,"bands":`...), p.Bands)
	b = appendRelations(b, p)
	b = append(b, `,"cuts":`...)
	if p.Cuts.Customers == 0 {
		return append(b, `null}`...)
	}
	b = appendFloats(append(b, `{"recency_days":`...), p.Cuts.Recency[:])
	b = appendFloats(append(b, `,"frequency":`...), p.Cuts.Frequency[:])
	b = appendFloats(append(b, `,"monetary":`...), p.Cuts.Monetary[:])
	b = appendInt(append(b, `,"customers":`...), max(p.Cuts.Customers, 0)) // 0: they are configured
	return append(b, `}}`...)
}

// appendRelations writes who stands where in the relation, and who came from
// which segment.
func appendRelations(b []byte, p *score.Population) []byte {
	b = append(b, `,"levels":{`...)
	for level, n := range p.Levels {
		if level > 0 {
			b = append(b, ',')
		}
		b = append(b, '"', byte('0'+level), '"', ':')
		b = appendInt(b, n)
	}
	if p.Profile == "" {
		b = append(b, `},"profile":null,"migrations":{`...)
	} else {
		b = append(appendString(append(b, `},"profile":`...), p.Profile), `,"migrations":{`...)
	}
	for i, from := range slices.Sorted(maps.Keys(p.Migrations)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCounts(append(appendString(b, from), ':'), p.Migrations[from])
	}
	return append(b, '}')
}

func appendCounts(b []byte, counts map[string]int) []byte {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(counts)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, name), ':')
		b = appendInt(b, counts[name])
	}
	return append(b, '}')
}

func appendFloats(b []byte, fs []float64) []byte {
	b = append(b, '[')
	for i, f := range fs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFloat(b, f)
	}
	return append(b, ']')
}
