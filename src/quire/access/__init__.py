"""Proof of identity -> Actor: one way for all doors."""

from quire.optional import left_out

with left_out("cryptography"):  # for signatures by key pairs; ours are by one secret
    import jwt  # noqa: F401
with left_out("babel"):  # for forms in many languages
    import flask_wtf  # noqa: F401
