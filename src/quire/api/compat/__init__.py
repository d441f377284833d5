"""Compatible APIs: the same records for clients of json-server and of Ghost."""
