"""Quire: a self-hosted content backend."""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    # `flask --app quire` asks here for create_app; every other import of a part of the package
    # should not pay for the whole.
    if name == "create_app":
        return import_module("quire.cli.main").application
    raise AttributeError(f"module 'quire' has no attribute {name!r}")
