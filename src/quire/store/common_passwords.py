"""Passwords that everybody tries first."""

from functools import cache
from importlib.resources import files


@cache
def _common() -> frozenset[str]:
    text = files("quire.store").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


def is_common(password: str) -> bool:
    """Whether `password`, without regard to case, is among the packaged list."""
    return password.lower() in _common()
