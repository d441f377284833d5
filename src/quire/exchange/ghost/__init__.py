"""Ghost exports (JSON)."""
