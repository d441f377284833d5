"""What an operator sees of a running server: counters of all its processes, and its log."""
