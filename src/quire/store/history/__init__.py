"""Earlier states of records: comparing and restoring them, undoing changes."""
