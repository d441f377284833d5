"""Collects the errors in a query's parameters, so that a client sees all of them together."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from quire.errors import BadRequest

MAX_PARTS = 200
"""The number of parameters that are checked for further errors after the first."""


def read_all(readers: Iterable[Callable[[], Any]], first: BadRequest | None = None) -> list[Any]:
    """Return the results of `readers`. Raises `first`, or their first BadRequest, with the details of all."""
    results = []
    for reader in islice(readers, MAX_PARTS):
        try:
            results.append(reader())
        except BadRequest as problem:
            if first is None:
                first = problem
            else:
                _add_details(first, problem)
    if first is not None:
        raise first
    return results


def _add_details(first: BadRequest, other: BadRequest) -> None:
    known = {(one["field"], one["code"]) for one in first.details}
    first.details += [one for one in other.details if (one["field"], one["code"]) not in known]
