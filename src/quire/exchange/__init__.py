"""Import and export of content, from and to other systems."""
