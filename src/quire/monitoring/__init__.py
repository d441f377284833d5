"""Monitoring of a running server: the counters of all its processes, and its log."""
