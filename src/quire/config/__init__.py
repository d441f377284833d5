"""All settings: type, default and validation."""
