"""A letter: one template, read twice, for its plain text and for its HTML; and who writes which kind."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from flask import current_app
from jinja2 import Environment, PackageLoader, StrictUndefined

from quire.declare.jobs import Job
from quire.store.site import site_settings
from quire.store.unsubscribing import token


@dataclass(frozen=True)
class Letter:
    """A text for one address; `kind` names its template, `words` fill it.

    `unsubscribe` is the address that ends mail of this kind, where somebody may want that.
    """

    to: str
    kind: str
    words: dict[str, Any]
    unsubscribe: str = ""

    def rendered(self) -> tuple[str, str, str]:
        """The subject, on one line whatever stands in it, the text, and the same as HTML."""
        words = {
            "site_name": site_settings()["site_name"],
            "root": root(),
            "unsubscribe": self.unsubscribe,
            **self.words,
        }
        text, page = (_templates(form).get_template(f"{self.kind}.txt") for form in ("txt", "html"))
        subject = "".join(text.blocks["subject"](text.new_context(words)))
        return (
            " ".join(f"[{words['site_name']}] {subject}".split()),
            re.sub(r"\n{3,}", "\n\n", text.render(words)).lstrip("\n"),
            page.render(words),
        )


@cache
def _templates(form: str) -> Environment:
    """The templates with the frame and the pieces for one form; only in HTML is anything markup."""
    made = Environment(
        loader=PackageLoader("quire.jobs", "letters"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=form == "html",  # noqa: S701 - plain text has no markup
    )
    pieces = made.get_template(f"parts.{form}").module
    named = {name: piece for name, piece in vars(pieces).items() if not name.startswith("_")}
    made.globals.update(named, frame=f"frame.{form}")
    return made


def root() -> str:
    """The address of this site, never taken from a request: its sender could name any host."""
    return str(current_app.config["PUBLIC_URL"] or current_app.config["LOCAL_URL"])


def no_more(user_id: int, kind: str) -> str:
    """The address that ends mail of a kind for somebody."""
    return f"{root()}/auth/unsubscribe/{token(user_id, kind)}"


Writer = Callable[[Job], Letter | None]
Written = TypeVar("Written", bound=Writer)
WRITERS: dict[str, Writer] = {}
"""Who writes the letter of each kind; None comes back when nobody is to get it any more."""


def writes(*kinds: str) -> Callable[[Written], Written]:
    """Let the function below write the letters of these kinds."""

    def keep(write: Written) -> Written:
        WRITERS.update(dict.fromkeys(kinds, write))
        return write

    return keep
