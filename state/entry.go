package state

import "encoding/binary"

// A block in use holds one entry; see arena for the bytes. These read and
// write it; b begins at the block and runs at least to its end.

func keyLen(b []byte) int { return int(binary.LittleEndian.Uint16(b[2:])) }
func valLen(b []byte) int { return int(binary.LittleEndian.Uint32(b[4:])) }

// word is the due time of a clean entry, and of a dirty one its index in the
// overlay, which knows both its due times.
func word(b []byte) int64        { return int64(binary.LittleEndian.Uint64(b[8:])) }
func setWord(b []byte, w int64)  { binary.LittleEndian.PutUint64(b[8:], uint64(w)) }
func setValLen(b []byte, n int)  { binary.LittleEndian.PutUint32(b[4:], uint32(n)) }
func has(b []byte, f byte) bool  { return b[0]&f != 0 }
func entryUnits(k, v int) uint32 { return uint32(headerLen+k+v+unit-1) / unit }

func entryKey(b []byte) []byte {
	end := headerLen + keyLen(b)
	return b[headerLen:end:end]
}

// entryVal is never nil.
func entryVal(b []byte) []byte {
	from := headerLen + keyLen(b)
	end := from + valLen(b)
	return b[from:end:end]
}

// writeEntry makes a block that was just handed out an entry. What is before it
// is in use, because two free blocks are never side by side.
func writeEntry(b, key, val []byte, flags byte, w int64) {
	b[0], b[1] = flags&^afterFree|inUse, 0
	binary.LittleEndian.PutUint16(b[2:], uint16(len(key)))
	setValLen(b, len(val))
	setWord(b, w)
	copy(b[headerLen:], key)
	copy(b[headerLen+len(key):], val)
}
