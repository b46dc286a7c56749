// Package wire reads the values of compact forms off the front of their bytes.
package wire

import "encoding/binary"

// Reader takes values off the front of Rest. After the first fault, bytes that end
// early or a number longer than 64 bits, Failed is set, Rest is empty and every value
// is zero.
type Reader struct {
	Rest   []byte
	Failed bool
}

// Fail notes a fault that the caller has found.
func (r *Reader) Fail() { r.Rest, r.Failed = nil, true }

// Take is the next n bytes, which stay those of Rest; nil where there are fewer.
func (r *Reader) Take(n uint64) []byte {
	if n > uint64(len(r.Rest)) {
		r.Fail()
		return nil
	}
	v := r.Rest[:n]
	r.Rest = r.Rest[n:]
	return v
}

// Byte is the next byte.
func (r *Reader) Byte() byte {
	if len(r.Rest) == 0 {
		r.Fail()
		return 0
	}
	v := r.Rest[0]
	r.Rest = r.Rest[1:]
	return v
}

// Uvarint is the next number as [binary.AppendUvarint] writes it.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.Rest)
	r.pass(n)
	return v
}

// Varint is the next number as [binary.AppendVarint] writes it.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.Rest)
	r.pass(n)
	return v
}

func (r *Reader) pass(n int) {
	if n <= 0 {
		r.Fail()
		return
	}
	r.Rest = r.Rest[n:]
}

// Fixed32 is a number of four bytes, the least first.
func (r *Reader) Fixed32() uint32 {
	if v := r.Take(4); v != nil {
		return binary.LittleEndian.Uint32(v)
	}
	return 0
}

// Fixed64 is a number of eight bytes, the least first.
func (r *Reader) Fixed64() uint64 {
	if v := r.Take(8); v != nil {
		return binary.LittleEndian.Uint64(v)
	}
	return 0
}
