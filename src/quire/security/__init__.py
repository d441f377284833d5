"""Secrets, limits and encryption: what the records need and Flask does not."""
