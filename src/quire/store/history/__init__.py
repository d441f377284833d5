"""Earlier states of records: compared, restored, and changes undone."""
