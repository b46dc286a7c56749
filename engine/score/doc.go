// Package score turns one customer's facts into the document of everything
// that is true of the customer now, says what of it changed since it was last
// said, and when it will change next if nothing happens.
//
//	facts, models, now ──Compute──▶ Scores
//	Emission (last said) + Scores ──Diff──▶ Deltas, Emission
//	facts, models, Emission ──NextCrossing──▶ instant
//
// Three invariants hold it together, and the tests hold them:
//
//   - Compute is a function of its arguments alone. What depends on the past
//     (version, a band kept at its limit, the previous segment) is in the
//     Emission and enters with Settle or Diff.
//   - Diff is quiet between crossings: with the same facts and models it finds
//     nothing before the instant that NextCrossing names, and something at it,
//     to the millisecond. So no sweep is needed, and no change is late.
//   - The population is the sum of the Emissions (Aggregate): what a customer
//     contributed is kept with the customer, so it can be taken away exactly.
//
// When new models are published, instants computed under the old ones stand
// until the customer is scored again: a timer that then finds nothing is
// harmless, and a crossing that the new cut points brought forward shows at the
// customer's next event or timer.
package score
