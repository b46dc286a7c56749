package wire

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// all reads one value of each kind.
func all(r *Reader) []any {
	return []any{r.Byte(), r.Uvarint(), r.Varint(), r.Fixed32(), r.Fixed64(), string(r.Take(r.Uvarint()))}
}

// Every beginning of the bytes is read as far as it goes; from the first value that is
// not whole on, all are zero.
func TestReader(t *testing.T) {
	b := []byte{7}
	b = binary.AppendUvarint(b, math.MaxUint64)
	b = binary.AppendVarint(b, math.MinInt64)
	b = binary.LittleEndian.AppendUint32(b, 0xfedcba98)
	b = binary.LittleEndian.AppendUint64(b, 0xfedcba9876543210)
	b = append(b, "\x03abc"...)
	want := []any{byte(7), uint64(math.MaxUint64), int64(math.MinInt64), uint32(0xfedcba98), uint64(0xfedcba9876543210), "abc"}
	zero := []any{byte(0), uint64(0), int64(0), uint32(0), uint64(0), ""}
	ends := []int{1, 11, 21, 25, 33, 37}
	for n := range len(b) + 1 {
		r := Reader{Rest: b[:n]}
		got := all(&r)
		whole := 0
		for whole < len(ends) && ends[whole] <= n {
			whole++
		}
		require.Equal(t, want[:whole], got[:whole])
		require.Equal(t, zero[whole:], got[whole:])
		require.Equal(t, n < len(b), r.Failed)
		require.Empty(t, r.Rest)
	}
	long := Reader{Rest: append(binary.AppendUvarint(nil, math.MaxUint64), 1)}
	long.Rest[9] = 2 // the 65th bit
	require.Zero(t, long.Uvarint())
	require.True(t, long.Failed)
	require.Zero(t, long.Byte())
}
