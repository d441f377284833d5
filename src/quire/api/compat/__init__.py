"""Compatibility APIs: the same records for json-server and Ghost clients."""
