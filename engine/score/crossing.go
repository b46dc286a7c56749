package score

// NextCrossing is the next instant after the one computed last at which time
// alone makes Diff find something, and what it crosses; 0 where it never does.
// em is what Diff returned for that customer.
func (s *Scorer) NextCrossing(em *Emission) (int64, Timer) {
	return 0, NoTimer
}
