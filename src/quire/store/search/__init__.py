"""The full-text search: its documents, terms and statements."""
