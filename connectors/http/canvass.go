package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// canvass is a question to the instances: who has answered it, and for which
// partitions. A customer that nobody knows is not found only where every
// instance has answered, and together they hold every partition; otherwise it
// may be where nobody looked. One goroutine uses it.
type canvass struct {
	cluster Cluster
	members []Member
	held    map[string][]int32 // by instance that has answered
	silent  map[string]string  // why, by instance that has not
}

func newCanvass(c Cluster) *canvass {
	return &canvass{cluster: c, members: c.Members(), held: map[string][]int32{}, silent: map[string]string{}}
}

// heard notes an instance's answer for the partitions that it holds; known is
// false where it does not say which: then those that the group says are its own.
// Of several answers, those count that all of them were for.
func (c *canvass) heard(instance string, held []int32, known bool) {
	if !known {
		held = ownedBy(c.cluster, instance)
	}
	if before, again := c.held[instance]; again {
		held = both(before, held)
	}
	c.held[instance] = held
}

// missed notes that an instance has not answered.
func (c *canvass) missed(instance, why string) { c.silent[instance] = why }

// alone says that there is no other instance to ask.
func (c *canvass) alone() bool {
	return !slices.ContainsFunc(c.members, func(m Member) bool { return m.Instance != c.cluster.Self() })
}

// open are the partitions that nobody has answered for, ascending.
func (c *canvass) open() []int32 {
	answered := make([]bool, c.cluster.Partitions())
	for instance, held := range c.held {
		if _, silent := c.silent[instance]; silent {
			continue
		}
		for _, p := range held {
			if p >= 0 && int(p) < len(answered) {
				answered[p] = true
			}
		}
	}
	var open []int32
	for p, ok := range answered {
		if !ok {
			open = append(open, int32(p))
		}
	}
	return open
}

// verdict is nil where what nobody knows is not there. Otherwise it is a 503
// which says of subject that it may be, and who did not answer.
func (c *canvass) verdict(subject string) error {
	var why []string
	for _, m := range c.members { // in their order
		if reason, silent := c.silent[m.Instance]; silent {
			why = append(why, "instance "+shown(m.Instance)+" did not answer: "+reason)
		}
	}
	if self := c.cluster.Self(); c.silent[self] != "" && !slices.ContainsFunc(c.members, func(m Member) bool { return m.Instance == self }) {
		why = append(why, "instance "+shown(self)+" did not answer: "+c.silent[self])
	}
	open := c.open()
	switch {
	case len(why) > 0:
	case c.cluster.Partitions() == 0:
		why = append(why, "the instances are not known yet")
	case len(open) > 0:
		why = append(why, fmt.Sprintf("%d of %d partitions, the first of them %d, are being handed over or restored", len(open), c.cluster.Partitions(), open[0]))
	default:
		return nil
	}
	return &fault{status: http.StatusServiceUnavailable, code: codeIncomplete, retryAfter: 1,
		message: subject + " where nobody looked: " + strings.Join(why, "; ")}
}

// ownedBy are the partitions that the group says are an instance's.
func ownedBy(c Cluster, instance string) []int32 {
	var owned []int32
	for p := range c.Partitions() {
		if m, ok := c.Owner(p); ok && m.Instance == instance {
			owned = append(owned, p)
		}
	}
	return owned
}

// both are the partitions that are in a and in b.
func both(a, b []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(a), func(p int32) bool { return !slices.Contains(b, p) })
}
