"""Proof of identity -> Actor: one way for all doors."""
