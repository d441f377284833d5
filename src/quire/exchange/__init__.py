"""Import of content from other systems, and export to them."""
