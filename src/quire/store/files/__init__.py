"""Uploaded files: where they lie, what they are, and who uses them."""
