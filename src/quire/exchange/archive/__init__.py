"""Archives: all content in one file, to move it from one Quire installation to another."""
