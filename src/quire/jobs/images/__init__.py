"""Uploaded pictures, processed by a program of its own."""
