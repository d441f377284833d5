"""Emails: one template for the plain text and the HTML, and the functions that build each kind."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from flask import current_app
from jinja2 import Environment, PackageLoader, StrictUndefined

from quire.declare.job_registry import Job
from quire.jobs.mail.unsubscribe import create_token
from quire.records.site_settings import site_appearance, site_settings
from quire.translations.languages import LANGUAGES
from quire.translations.messages import Message
from quire.web.dates import clock
from quire.web.device_names import device_name
from quire.web.language import in_language, install_in, language, translate


@dataclass(frozen=True)
class MailMessage:
    """An email to one address; `kind` is its template, `words` are the variables.

    `unsubscribe` is the URL that ends mail of this kind, if that is possible. `language` is the recipient's
    language; with "", the email is in the site's language.
    """

    to: str
    kind: str
    words: dict[str, Any]
    unsubscribe: str = ""
    language: str = ""

    def render(self) -> tuple[str, str, str]:
        """Return the subject on one line, the plain text and the HTML."""
        with in_language(mail_language(self.language)):
            return self._render()

    def _render(self) -> tuple[str, str, str]:
        words = {
            "site_name": site_settings()["site_name"],
            "root": site_root(),
            "unsubscribe": self.unsubscribe,
            "language": language(),
            **{name: _in_language(value) for name, value in self.words.items()},
        }
        text, page = (_templates(form).get_template(f"{self.kind}.txt") for form in ("txt", "html"))
        subject = "".join(text.blocks["subject"](text.new_context(words)))
        return (
            " ".join(f"[{words['site_name']}] {subject}".split()),
            re.sub(r"\n{3,}", "\n\n", text.render(words)).lstrip("\n"),
            page.render(words),
        )


def mail_language(*choices: str | None) -> str:
    """Return the language of an email: the first of `choices` that mail is translated to, or else the site's."""
    known = (one for one in choices if one in LANGUAGES)
    return next(known, None) or str(site_appearance()["language"])


def _in_language(value: Any) -> Any:
    return translate(value) if isinstance(value, Message) else value


@cache
def _templates(form: str) -> Environment:
    """Return the templates for one format; only HTML is escaped."""
    environment = Environment(
        loader=PackageLoader("quire.jobs.mail", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=form == "html",  # noqa: S701 - plain text has no markup
    )
    install_in(environment)
    environment.filters.update(clock=clock, device_name=device_name)
    pieces = environment.get_template(f"parts.{form}").module
    public_names = {name: piece for name, piece in vars(pieces).items() if not name.startswith("_")}
    environment.globals.update(public_names, base=f"base.{form}")
    return environment


def site_root() -> str:
    """Return the URL of this site, never taken from a request, whose sender could name any host."""
    return str(current_app.config["PUBLIC_URL"] or current_app.config["LOCAL_URL"])


def unsubscribe_url(user_id: int, kind: str) -> str:
    """Return the URL that ends mail of a kind for a user."""
    return f"{site_root()}/auth/unsubscribe/{create_token(user_id, kind)}"


Writer = Callable[[Job], MailMessage | None]
WriterT = TypeVar("WriterT", bound=Writer)
WRITERS: dict[str, Writer] = {}
"""The function that builds the email of each kind; it returns None if there is no recipient any more."""


def mail_template(*kinds: str) -> Callable[[WriterT], WriterT]:
    """Register the decorated function for emails of these kinds."""

    def register(write: WriterT) -> WriterT:
        WRITERS.update(dict.fromkeys(kinds, write))
        return write

    return register
