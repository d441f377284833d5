"""Passwords, tokens, rate limits and encryption, below the records that use them."""
