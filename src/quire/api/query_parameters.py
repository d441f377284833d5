"""Query parameters of what is no list: which ones there may be, and their values."""

from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from quire.declare.query_conditions import parse_flag
from quire.declare.query_mistakes import read_all
from quire.errors import invalid_parameter, unknown_parameter
from quire.web.current import current_request


def single_param(name: str) -> str | None:
    """The value of a query parameter, None where it was not sent. Raises BadRequest for several."""
    values = current_request().args.getlist(name)
    if len(values) > 1:
        raise invalid_parameter(name, f"{name} was sent more than once.")
    return values[0] if values else None


def flag_param(name: str) -> bool:
    """Whether a query parameter says true; it need not be sent. Raises BadRequest."""
    text = single_param(name)
    return text is not None and parse_flag(name, text)


def types_param(valid: Sequence[str]) -> list[str] | None:
    """Those of the `valid` types that the parameter `types` names; None where it was not sent.

    With commas or repeated. Raises BadRequest for any other name.
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
