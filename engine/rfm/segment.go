package rfm

// Table names the segment of each pair of scores: Table[r-1][f-1].
type Table [5][5]string

// The segments.
const (
	Champions         = "champions"
	Loyal             = "loyal"
	PotentialLoyalist = "potential_loyalist"
	New               = "new"
	Promising         = "promising"
	NeedsAttention    = "needs_attention"
	AboutToSleep      = "about_to_sleep"
	AtRisk            = "at_risk"
	CannotLose        = "cannot_lose"
	Hibernating       = "hibernating"
)

// Segments returns the names of DefaultTable, best first.
func Segments() []string {
	return []string{
		Champions, Loyal, PotentialLoyalist, New, Promising,
		NeedsAttention, AboutToSleep, AtRisk, CannotLose, Hibernating,
	}
}

// DefaultTable is the widely published map of ten segments over R (rows, 1
// first) and F (columns, 1 first).
func DefaultTable() Table {
	return Table{
		{Hibernating, Hibernating, AtRisk, AtRisk, CannotLose},
		{Hibernating, Hibernating, AtRisk, AtRisk, CannotLose},
		{AboutToSleep, AboutToSleep, NeedsAttention, Loyal, Loyal},
		{Promising, PotentialLoyalist, PotentialLoyalist, Loyal, Loyal},
		{New, PotentialLoyalist, PotentialLoyalist, Champions, Champions},
	}
}

// Segment is the name for scores of 1 to 5.
func (t *Table) Segment(r, f uint8) string { return t[r-1][f-1] }
