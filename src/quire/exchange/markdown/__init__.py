"""Folders of Markdown files, as static site generators keep them."""
