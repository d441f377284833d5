"""The language of a response: chosen by the person, otherwise by the browser, otherwise the site's.

Texts are looked up by their English wording, in catalogues that are loaded on first use. Programs get English.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from typing import Any, NamedTuple

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations
from flask import (
    Flask,
    Request,
    Response,
    current_app,
    g,
    has_app_context,
    has_request_context,
    request,
)
from flask_babel import Babel, LazyString, force_locale, refresh
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from quire.declare.labels import capitalize_first, in_sentence
from quire.translations.languages import CATALOGUES, ENGLISH, LANGUAGES
from quire.translations.messages import Message
from quire.web.caching import vary_by
from quire.web.current import current_globals
from quire.web.request_hooks import after_request

LONGEST_HEADER = 300
"""The maximum length of an `Accept-Language`; no browser sends a longer one."""
FROM_PAGE = "X-CSRFToken"
"""The header with which scripts of our own pages send changes: a person reads the response."""
FOR_PROGRAMS = ("/api", "/ghost/", "/metrics", "/healthz", "/readyz")
"""Prefixes of paths that are answered in English."""
_CHOICE = "quire-language"

Choice = Callable[[], str]


class BrowserLanguage(NamedTuple):
    """The languages of a browser: the best of LANGUAGES, and the one it names first, or ""."""

    offered: str
    first: str


def browser_language(header: str) -> BrowserLanguage:
    """Parse a header `Accept-Language`."""
    return (
        _parse_languages(header) if 0 < len(header) <= LONGEST_HEADER else BrowserLanguage("", "")
    )


@lru_cache(1000)
def _parse_languages(header: str) -> BrowserLanguage:
    accepted = parse_accept_header(header, LanguageAccept)
    offered = accepted.best_match(LANGUAGES) or ""
    first = next((_primary(tag).lower() for tag, quality in accepted if quality), "")
    return BrowserLanguage(offered, first if len(first) in (2, 3) and first.isalpha() else "")


def _primary(tag: str) -> str:
    return tag.partition("-")[0]


def language() -> str:
    """The language of the current response, such as `de` or `pt-BR`."""
    if not has_app_context():
        return ENGLISH
    chosen = g.get("language")
    if chosen is None:
        chosen = g.language = _choose()
    return str(chosen)


def _choose() -> str:
    if not _is_for_person():
        return ENGLISH
    g.depends_on_language = True
    choices, site = _extension()
    chosen = next((one for one in (choose() for choose in choices) if one in LANGUAGES), None)
    return chosen or _accepted_language(site())


def _is_for_person() -> bool:
    return has_request_context() and (
        not request.path.startswith(FOR_PROGRAMS) or FROM_PAGE in request.headers
    )


def page_language() -> str | None:
    """The language in which a person reads this response; None for programs."""
    return language() if _is_for_person() else None


def _accepted_language(site: str) -> str:
    """The browser's language; the site's, if that is accepted too or none of ours is."""
    header = browser_language(request.headers.get("Accept-Language", ""))
    if header.first == _primary(site):
        return site
    return header.offered or site


def is_english() -> bool:
    """Whether the current response is in English, for which most texts and dates are ready."""
    return language() == ENGLISH


def set_browser_language() -> None:
    """Use the language of the browser, ignoring what the person or the site has chosen."""
    set_language(_accepted_language(ENGLISH))
    g.depends_on_language = True


def set_language(code: str) -> None:
    """Continue in this language."""
    g.language = code
    refresh()


@contextmanager
def in_language(code: str) -> Iterator[None]:
    """Do something in this language, such as writing an email."""
    before = g.get("language")
    g.language = code
    try:
        with force_locale(_identifier(code)):
            yield
    finally:
        g.language = before


def _identifier(code: str) -> str:
    return code.replace("-", "_")


def locale() -> str:
    """The language in Babel's notation, such as `pt_BR`."""
    return _identifier(language())


@lru_cache(32)
def catalogue(code: str) -> Translations | None:
    """The texts of a language; None for English, and for languages without a catalogue."""
    texts = _read_catalogue(code)
    if texts is None:
        return None
    compiled = BytesIO()
    write_mo(compiled, texts)
    compiled.seek(0)
    return Translations(compiled)


def _read_catalogue(code: str) -> Catalog | None:
    for name in (code, _primary(code)):
        if name in LANGUAGES and name != ENGLISH:
            with (CATALOGUES / f"{name}.po").open("rb") as file:
                return read_po(file, locale=_identifier(name))
    return None


@lru_cache(32)
def script_texts(code: str) -> Markup:
    """The texts of the panel's scripts by their English wording, as JSON for a page; empty in English."""
    texts = _read_catalogue(code)
    if texts is None:
        return Markup("")
    pairs = {
        one.id: one.string for one in texts if any(p.endswith(".js") for p, _ in one.locations)
    }
    return Markup(htmlsafe_json_dumps(pairs))  # noqa: S704 - it escapes what would end the element


def language_name(code: str) -> str:
    """The name of a language in that language."""
    return capitalize_first(Locale.parse(_identifier(code)).display_name or code)


def _translation(text: str) -> str:
    texts = catalogue(language())
    return text if texts is None else texts.gettext(text)


def plural_translation(singular: str, plural: str, num: int) -> str:
    """`singular` or `plural` in the current language, with placeholders."""
    texts = catalogue(language())
    if texts is None:
        return singular if num == 1 else plural
    return texts.ngettext(singular, plural, num)


def gettext(text: str, **values: Any) -> str:
    """`text` in the current language; `%(name)s` in it is replaced if there are values."""
    translation = _translation(text)
    return translation % values if values else translation


def ngettext(singular: str, plural: str, num: int, **values: Any) -> str:
    """`singular` or `plural` in the current language; `%(num)s` in it is the number."""
    return plural_translation(singular, plural, num) % {"num": num, **values}


def lazy_gettext(text: str, **values: Any) -> LazyString:
    """The same as `gettext`, in the language of the eventual reader."""
    return LazyString(gettext, text, **values)


def translate(message: str) -> str:
    """A sentence in the current language: a Message, or a text that a catalogue contains as it is."""
    texts = catalogue(language())
    if texts is None or not message:
        return str(message)
    if not isinstance(message, Message):
        return str(texts.gettext(message))
    values = {name: _value(name, value) for name, value in message.values.items()}
    if message.plural is None:
        translation = texts.gettext(message.text)
    else:
        translation = texts.ngettext(message.text, message.plural, message.values["count"])
    return translation % values if values else translation


def word_label(word: str) -> str:
    """The label of a value that a field can have: `Marked as spam` for marked_as_spam."""
    return gettext(word.replace("_", " ").capitalize())


def noun(label: str) -> str:
    """A label or a word inside a sentence: English uses lower case there."""
    return gettext(in_sentence(label.replace("_", " ")))


def format_number(number: float, digits: int = 0) -> str:
    """`12,345`, in the notation of the language, with `digits` decimal places."""
    if is_english():
        return f"{number:,.{digits}f}"
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return str(format_decimal(number, pattern, locale=locale()))


def _value(name: str, value: Any) -> Any:
    if name == "count" and isinstance(value, int):
        return format_number(value)
    return translate(value) if isinstance(value, Message) else value


def install_in(environment: Any) -> None:
    """Provide `_`, `ngettext`, `{% trans %}` and the filter `translate` in templates."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(_translation, plural_translation, newstyle=True)
    environment.filters.update(
        translate=translate,
        word=word_label,
        noun=noun,
        number=format_number,
        language_name=language_name,
    )


def _extension() -> tuple[tuple[Choice, ...], Choice]:
    return current_app.extensions[_CHOICE]


def _set_headers(request: Request, response: Response) -> Response:
    """Say that the response depends on the language, if it was used."""
    if "depends_on_language" in current_globals():
        vary_by(response, "Accept-Language")
        response.headers.setdefault("Content-Language", language())
    return response


def init_app(app: Flask, choices: Iterable[Choice], site: Choice) -> None:
    """Register it; the first of `choices` that returns one of LANGUAGES decides, or else `site()`."""
    app.extensions[_CHOICE] = (tuple(choices), site)
    Babel(configure_jinja=False).init_app(app, locale_selector=locale)
    install_in(app.jinja_env)
    after_request(app, _set_headers)
