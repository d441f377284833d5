"""All content in one file, from one Quire to another."""
