package state

import (
	"bytes"
	"hash/maphash"
)

// hotSet holds entries in memory: an index over an arena, within a budget.
// It evicts clean entries only.
type hotSet struct {
	arena  arena
	index  index
	budget *budget
	seed   maphash.Seed
	own    int64 // bytes taken from the budget

	// complete: every committed entry is here, so that what is not here does
	// not exist.
	complete bool
	// retryAt: a walk found nothing to evict, all being dirty; the set grows
	// over its bound until the arena has this many bytes, or a commit.
	retryAt int64

	evictions uint64
}

func newHotSet(b *budget, shift uint8) *hotSet {
	b.sets.Add(1)
	return &hotSet{arena: newArena(shift), budget: b, seed: maphash.MakeSeed()}
}

// close gives the memory back.
func (h *hotSet) close() {
	h.budget.used.Add(-h.own)
	h.budget.sets.Add(-1)
	h.arena, h.index, h.own = newArena(h.arena.shift), index{}, 0
}

func (h *hotSet) tag(key []byte) uint32 { return uint32(maphash.Bytes(h.seed, key)) }

// find is the block of key, 0 if it is not here.
func (h *hotSet) find(key []byte) ref {
	x := &h.index
	if len(x.slots) == 0 {
		return 0
	}
	tag := h.tag(key)
	for i := x.home(tag); ; i = x.next(i) {
		s := x.slots[i]
		if s == 0 {
			return 0
		}
		if slotTag(s) == tag && bytes.Equal(entryKey(h.arena.at(slotRef(s))), key) {
			return slotRef(s)
		}
	}
}

// insert adds an entry whose key is not here. key and val must not lie in the
// set.
func (h *hotSet) insert(key, val []byte, flags byte, w int64) (ref, error) {
	r, err := h.allocate(entryUnits(len(key), len(val)))
	if err != nil {
		return 0, err
	}
	writeEntry(h.arena.at(r), key, val, flags, w)
	if h.index.full() {
		h.index.grow()
		h.account()
	}
	h.index.insert(h.tag(key), r)
	return r, nil
}

// remove forgets the entry at r and returns what arena.free does.
func (h *hotSet) remove(r ref) ref {
	h.index.remove(h.index.locate(h.tag(entryKey(h.arena.at(r))), r))
	free := h.arena.free(r)
	h.account()
	return free
}

// replace sets the value of the entry at r, which must be dirty so that it is
// not evicted meanwhile, and returns where the entry is now. val may lie in
// the entry's own value.
func (h *hotSet) replace(r ref, val []byte) (ref, error) {
	b := h.arena.at(r)
	k := keyLen(b)
	have, need := h.arena.units(r), entryUnits(k, len(val))
	if need <= have { // before what is beyond becomes a free block
		val = b[headerLen+k:][:copy(b[headerLen+k:], val)]
	}
	if need == have || h.arena.resize(r, need) {
		setValLen(b, len(val))
		copy(b[headerLen+k:], val)
		return r, nil
	}
	moved, err := h.allocate(need)
	if err != nil {
		return 0, err
	}
	writeEntry(h.arena.at(moved), entryKey(b), val, b[0], word(b))
	i := h.index.locate(h.tag(entryKey(b)), r)
	h.index.slots[i] = makeSlot(slotTag(h.index.slots[i]), moved)
	h.arena.free(r)
	h.account()
	return moved, nil
}

// account tells the budget what the set takes now.
func (h *hotSet) account() {
	if now := h.arena.bytes + h.index.bytes(); now != h.own {
		h.budget.used.Add(now - h.own)
		h.own = now
	}
}

// allocate finds n units: free ones, new ones if the budget allows, those of
// evicted entries, and new ones against the budget where all is dirty.
func (h *hotSet) allocate(n uint32) (ref, error) {
	if r, ok := h.arena.take(n); ok {
		return r, nil
	}
	size := max(int64(n)*unit, h.arena.chunkBytes())
	if !h.budget.allows(h.own, size) && h.arena.bytes >= h.retryAt {
		if size > h.arena.chunkBytes() {
			h.shrinkFor(size)
		} else if r, ok := h.evictFor(n); ok {
			return r, nil
		}
		if !h.budget.allows(h.own, size) {
			h.retryAt = h.arena.bytes + h.arena.bytes/4 + size
		}
	}
	r, err := h.arena.addChunk(n)
	h.account()
	return r, err
}

// evictFor moves the hand until n units are free in one piece. The hand gives
// each entry that was read a second chance, so that all are seen in two rounds;
// a block that is evicted may be met again as a free one, hence twice as many.
func (h *hotSet) evictFor(n uint32) (ref, bool) {
	for left := 4 * h.arena.bytes / unit; left > 0; {
		r := h.arena.step()
		if r == 0 {
			return 0, false
		}
		left -= int64(h.arena.units(r))
		b := h.arena.at(r)
		switch {
		case !has(b, inUse):
			if h.arena.units(r) < n {
				continue
			}
		case has(b, dirty):
			continue
		case has(b, referenced):
			b[0] &^= referenced
			continue
		default:
			h.evict(r)
		}
		if got, ok := h.arena.take(n); ok {
			return got, true
		}
		if h.budget.allows(h.own, h.arena.chunkBytes()) {
			return 0, false // a chunk fell empty and went back; the caller takes a new one
		}
	}
	return 0, false
}

func (h *hotSet) evict(r ref) ref {
	if !has(h.arena.at(r), absent) {
		h.complete = false
	}
	h.evictions++
	return h.remove(r)
}

// shrinkFor gives whole chunks back until size bytes may be taken.
func (h *hotSet) shrinkFor(size int64) {
	for tries := len(h.arena.chunks); tries > 0 && !h.budget.allows(h.own, size); tries-- {
		h.clearChunk()
	}
}

// trimChunks bounds the pause of one trim.
const trimChunks = 16

// trim shrinks a set that holds more than its share while the whole is over
// its bound, by a few chunks a call.
func (h *hotSet) trim() {
	for tries := trimChunks; tries > 0 && h.budget.exceeded(h.own); tries-- {
		h.clearChunk()
	}
}

// clearChunk evicts all clean entries of the chunk at the hand, read or not.
func (h *hotSet) clearChunk() {
	a := &h.arena
	r := a.hand
	if r == 0 {
		r = a.chunkAfter(0)
	}
	if r == 0 {
		return
	}
	c := a.chunkOf(r)
	a.hand = a.chunkAfter(c)
	for r = ref(c << a.shift); r != 0; r = a.after(r, a.units(r)) {
		if b := a.at(r); has(b, inUse) && !has(b, dirty) {
			if r = h.evict(r); r == 0 {
				return
			}
		}
	}
}
