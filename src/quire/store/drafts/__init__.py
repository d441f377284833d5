"""Drafts: unpublished changes to a record beside its live version."""
