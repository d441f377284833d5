"""Drafts: unpublished changes to a record, alongside its live version."""
