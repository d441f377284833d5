"""Names made from other people's words: titles that fit, slugs, user names."""

import re
import unicodedata

from slugify import slugify

TITLE_LENGTH = 200
SLUG_LENGTH = 180
USERNAME_LENGTH = 20
_SHORTEST_USERNAME = 3
_FIRST_WORDS = 60
_SLUG = re.compile(r"\w[\w.-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]")
_NOT_IN_USERNAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_MARKUP = re.compile(r"!?\[([^\[\]]*+)\]\([^()]*+\)|<[^<>]{1,500}>|[*`#>~]+|\\(?=[^\w\s])")


def single_line(text: str) -> str:
    """`text` on one line, without control characters and doubled spaces."""
    return " ".join(_CONTROL.sub(" ", text).split())


def printable(text: str) -> str:
    """`text` without the control characters that no text needs; lines and tabs stay."""
    return _CONTROL.sub("", text)


def shorten(text: str, limit: int = TITLE_LENGTH) -> str:
    """`text` cut at a word, with an ellipsis, when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    at_word = cut if text[limit - 1].isspace() else cut.rpartition(" ")[0]
    shortened = at_word if len(at_word) > limit // 2 else cut
    return shortened.rstrip(" ,;:.-") + "…"


def first_words(body: str) -> str:
    """What an untitled text is called: its first words without Markdown marks; may be empty."""
    plain = single_line(_MARKUP.sub(lambda match: match[1] or "", body[:2000]))
    return shorten(plain, _FIRST_WORDS)


def slug_from(text: str) -> str:
    """The slug that `text` gives: itself where it can be one, else ASCII words with hyphens.

    Empty when nothing is left. Old addresses stay what they were, in whatever script.
    """
    slug = unicodedata.normalize("NFC", text.strip())
    if len(slug) <= SLUG_LENGTH and _SLUG.fullmatch(slug):
        return slug
    return slugify(slug, max_length=SLUG_LENGTH, word_boundary=True)


def username_from(name: str) -> str:
    """3-20 allowed characters from `name`; what is allowed already stays as it is."""
    whole = _allowed_in_username(name)
    username = whole[:USERNAME_LENGTH]
    username = username.rstrip("-._") if len(name.strip()) > USERNAME_LENGTH else username
    if not any(character.isalnum() for character in username):
        username = ""
    if len(username) < _SHORTEST_USERNAME:
        return f"{username}-author".lstrip("-")
    return username


def person_key(name: str) -> str:
    """What two spellings of one person's name have in common: the username, but never cut."""
    whole = _allowed_in_username(name)
    return (whole if len(whole) > USERNAME_LENGTH else username_from(name)).lower()


def _allowed_in_username(name: str) -> str:
    username = name.strip()
    return slugify(username) if _NOT_IN_USERNAMES.search(username) else username


def with_number(name: str, number: int, limit: int) -> str:
    """`name` with `-number` behind it, within `limit` characters."""
    suffix = f"-{number}"
    return name[: limit - len(suffix)].rstrip("-._") + suffix
