"""Query parameters of resources other than lists: which are allowed, and their values."""

from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from quire.declare.query_conditions import parse_flag
from quire.declare.query_mistakes import read_all
from quire.errors import invalid_parameter, unknown_parameter
from quire.web.current import current_request


def single_param(name: str) -> str | None:
    """The value of a query parameter, or None if it was not sent. Raises BadRequest for several values."""
    values = current_request().args.getlist(name)
    if len(values) > 1:
        raise invalid_parameter(name, f"{name} was sent more than once.")
    return values[0] if values else None


def flag_param(name: str) -> bool:
    """Whether an optional query parameter is true. Raises BadRequest."""
    text = single_param(name)
    return text is not None and parse_flag(name, text)


def types_param(valid: Sequence[str]) -> list[str] | None:
    """The `valid` types named by the parameter `types`, or None if it was not sent.

    The parameter may be repeated or separated by commas. Raises BadRequest for any other name.
    """
    texts = current_request().args.getlist("types")
    if not texts:
        return None
    requested = {name for text in texts for name in text.split(",")}
    if not requested <= set(valid):
        raise invalid_parameter("types", f"types takes some of: {', '.join(valid)}.")
    return [name for name in valid if name in requested]


def allow_params(*names: str) -> None:
    """Refuse query parameters other than `names`. Raises BadRequest."""
    unknown = [name for name in current_request().args if name not in names]
    read_all(partial(_refuse, name, names) for name in unknown)


def _refuse(name: str, names: Sequence[str]) -> NoReturn:
    raise unknown_parameter(name, "parameter", names)
