"""Every setting once: its type, its default and what is refused."""
