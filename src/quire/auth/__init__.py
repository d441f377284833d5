"""Authentication: credentials -> Actor, the same for all interfaces."""
