"""Backups: a consistent copy of the database and the files, in one archive that can be restored anywhere."""
