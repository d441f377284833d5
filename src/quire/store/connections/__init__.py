"""Connections to the database: their options, limits of time, and what is done when they fail."""
