"""Uploaded images, processed in a separate program."""
