"""The interface for readers: plain pages on the same records, rules and store as the API."""
