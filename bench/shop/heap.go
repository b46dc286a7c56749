package shop

// heap is a binary heap of values; the least is on top.
type heap[T any] struct {
	less func(a, b *T) bool
	v    []T
}

func (h *heap[T]) len() int { return len(h.v) }

// top is the least value; after changing it call fix.
func (h *heap[T]) top() *T { return &h.v[0] }

func (h *heap[T]) push(x T) {
	h.v = append(h.v, x)
	for i := len(h.v) - 1; i > 0; {
		up := (i - 1) / 2
		if !h.less(&h.v[i], &h.v[up]) {
			return
		}
		h.v[i], h.v[up] = h.v[up], h.v[i]
		i = up
	}
}

func (h *heap[T]) pop() T {
	x := h.v[0]
	last := len(h.v) - 1
	h.v[0] = h.v[last]
	var zero T
	h.v[last] = zero
	h.v = h.v[:last]
	if last > 0 {
		h.fix()
	}
	return x
}

// fix puts the top where it belongs after it has grown.
func (h *heap[T]) fix() {
	for i := 0; ; {
		down := 2*i + 1
		if down >= len(h.v) {
			return
		}
		if down+1 < len(h.v) && h.less(&h.v[down+1], &h.v[down]) {
			down++
		}
		if !h.less(&h.v[down], &h.v[i]) {
			return
		}
		h.v[i], h.v[down] = h.v[down], h.v[i]
		i = down
	}
}
