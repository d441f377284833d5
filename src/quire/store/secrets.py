"""Passwords as they are stored: bcrypt over a digest, so that no length is cut off."""

from flask_bcrypt import Bcrypt

bcrypt = Bcrypt()


def hash_password(password: str) -> str:
    """The hash to store."""
    return str(bcrypt.generate_password_hash(password).decode("ascii"))


def password_matches(stored: str | None, password: str) -> bool:
    """Whether `password` is the one whose hash is stored; takes as long when there is none."""
    try:
        return bool(bcrypt.check_password_hash(stored or _nobody(), password)) and bool(stored)
    except ValueError:  # what is stored is no hash: an account that cannot sign in
        return False


_dummy: list[str] = []


def _nobody() -> str:
    """A hash that belongs to nobody, so that unknown accounts cost the same time."""
    if not _dummy:
        _dummy.append(hash_password("nobody's password"))
    return _dummy[0]
