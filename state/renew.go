package state

// Renew puts key as it is, or as absent as it is, so that Dirty has it.
func (t *Table) Renew(key []byte) error {
	due, err := t.presentDue(key)
	if err != nil {
		return err
	}
	val, _, err := t.Get(key)
	if err != nil {
		return err
	}
	return t.Put(key, val, due)
}
