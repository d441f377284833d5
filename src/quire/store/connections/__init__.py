"""Connections to the database: options, time limits, and error handling."""
