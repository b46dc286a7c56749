package pipeline

import (
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// decodeBlob reads a customer.
func decodeBlob(b []byte, led *ledger.Ledger, em *score.Emission, intern func([]byte) string) error {
	facts, emission, err := splitBlob(b)
	if err != nil {
		return err
	}
	if err := ledger.DecodeFacts(facts, led, intern); err != nil {
		return err
	}
	return em.Decode(emission)
}

// maxInterned bounds an interner; real channels are a handful.
const maxInterned = 1024

// newInterner returns a function that gives equal bytes one string. It serves
// one goroutine.
func newInterner() func([]byte) string {
	seen := map[string]string{}
	return func(b []byte) string {
		if s, ok := seen[string(b)]; ok {
			return s
		}
		if len(seen) >= maxInterned {
			clear(seen)
		}
		s := string(b)
		seen[s] = s
		return s
	}
}
