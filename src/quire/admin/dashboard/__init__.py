"""The first page of the panel."""
