"""Makes titles, slugs and usernames from imported text."""

import re
import unicodedata

from slugify import slugify

from quire.store.changes.slugs import SLUG_LENGTH, words_in_slug

TITLE_LENGTH = 200
USERNAME_LENGTH = 20
_SHORTEST_USERNAME = 3
_FIRST_WORDS = 60
_SLUG = re.compile(r"\w[\w.-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]")
_NOT_IN_USERNAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_MARKUP = re.compile(r"!?\[([^\[\]]*+)\]\([^()]*+\)|<[^<>]{1,500}>|[*`#>~]+|\\(?=[^\w\s])")


def single_line(text: str) -> str:
    """`text` on one line, without control characters or repeated spaces."""
    return " ".join(_CONTROL.sub(" ", text).split())


def printable(text: str) -> str:
    """`text` without control characters, except line breaks and tabs."""
    return _CONTROL.sub("", text)


def shorten(text: str, limit: int = TITLE_LENGTH) -> str:
    """`text` cut at a word, with an ellipsis, if it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    at_word = cut if text[limit - 1].isspace() else cut.rpartition(" ")[0]
    shortened = at_word if len(at_word) > limit // 2 else cut
    return shortened.rstrip(" ,;:.-") + "…"


def first_words(body: str) -> str:
    """A title for untitled text: its first words without Markdown; may be empty."""
    plain = single_line(_MARKUP.sub(lambda match: match[1] or "", body[:2000]))
    return shorten(plain, _FIRST_WORDS)


def slug_from(text: str) -> str:
    """The slug for `text`: itself if valid, otherwise ASCII words with hyphens; empty if nothing is left.

    Old slugs stay as they were, in any script.
    """
    slug = unicodedata.normalize("NFC", text.strip())
    if len(slug) <= SLUG_LENGTH and _SLUG.fullmatch(slug):
        return slug
    return words_in_slug(slug)


def username_from(name: str) -> str:
    """3 to 20 allowed characters from `name`; valid characters are kept."""
    whole = _allowed_in_username(name)
    username = whole[:USERNAME_LENGTH]
    username = username.rstrip("-._") if len(name.strip()) > USERNAME_LENGTH else username
    if not any(character.isalnum() for character in username):
        username = ""
    if len(username) < _SHORTEST_USERNAME:
        return f"{username}-author".lstrip("-")
    return username


def person_key(name: str) -> str:
    """The same key for all spellings of a name: the username, without its length limit."""
    whole = _allowed_in_username(name)
    return (whole if len(whole) > USERNAME_LENGTH else username_from(name)).lower()


def _allowed_in_username(name: str) -> str:
    username = name.strip()
    return slugify(username) if _NOT_IN_USERNAMES.search(username) else username


def with_number(name: str, number: int, limit: int) -> str:
    """`name` with `-number` appended, within `limit` characters."""
    suffix = f"-{number}"
    return name[: limit - len(suffix)].rstrip("-._") + suffix
