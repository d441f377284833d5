"""Run later: what requests owe and a worker does, beside the server."""
