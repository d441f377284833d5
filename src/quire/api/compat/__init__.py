"""Front doors that others speak: the same records for clients of json-server and of Ghost."""
