"""Backups: database and files as they were at one moment, in one archive that restores anywhere."""
