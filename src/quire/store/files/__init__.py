"""Uploaded files: storage, type detection, and usage."""
