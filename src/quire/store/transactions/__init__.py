"""What transactions need beyond `db.py`: locks, retries, pauses, and errors that name a field."""
