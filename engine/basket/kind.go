package basket

import (
	"fmt"
	"strings"
)

// Kind is a sort of evidence that two items go together. The kinds are counted
// apart. The numbers are those of configurations and wires nowhere: names are.
type Kind uint8

// The kinds.
const (
	// SameOrder: both were in one order. Undirected.
	SameOrder Kind = iota
	// SameSession: the second was looked at right after the first within a
	// session. An item can follow itself.
	SameSession
	// NextOrder: the first was in an order, the second in the customer's next one,
	// within Config.Window. An item can follow itself.
	NextOrder
	// SameCustomer: a customer has bought both within Config.Window, whatever the
	// order. It is counted once, when the later of the two is taken up, and known
	// from which to which; items taken up together count half for each direction.
	SameCustomer

	NumKinds = 4
)

var kindNames = [NumKinds]string{"same_order", "same_session", "next_order", "same_customer"}

// String is the kind's name on the wire.
func (k Kind) String() string {
	if k >= NumKinds {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// Kinds returns the names of all kinds, in their order.
func Kinds() []string { return kindNames[:] }

// ParseKind reads a name.
func ParseKind(name string) (Kind, error) {
	for k, n := range kindNames {
		if n == name {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("kind of evidence %q is unknown: give %s", name, strings.Join(kindNames[:], ", "))
}
