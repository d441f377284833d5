"""The front door for readers: plain pages on the same records, rules and store as the API."""
