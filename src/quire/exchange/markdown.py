"""A folder of Markdown files, as Jekyll, Hugo and Zola keep them, becomes posts and pages."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quire.exchange import front_matter, liquid, loading, names, places
from quire.exchange.front_matter import Head, is_on, text, text_of, values, words
from quire.exchange.items import Entry, Person, Progress, Report, Skipped, Term, Unusable
from quire.exchange.moments import read_moment
from quire.exchange.places import Place
from quire.store.origins import known_items, known_places

SOURCE = "markdown"
MOST_BODY_BYTES = 256 * 1024
_EXCERPT_LENGTH = 1000
_SAMPLE = 50
_HEADING = re.compile(r"\A\s*(?:#[ \t]+(\S.*)|(\S.*)\n=+[ \t]*)(?:\n|\Z)")
_ANY_HEADING = re.compile(r"^(?:#{1,6}[ \t]+(\S.*)|(\S.*)\n(?:=+|-+)[ \t]*)$", re.MULTILINE)
_HEADING_MARKS = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|\{[#:.][^}]*\}\s*$|[*`]+")
_ADDRESS = re.compile(r"^(.*?)\s*<?([^\s<>]+@[^\s<>]+)>?$")
_HIDING = ("draft", "private", "hidden", "password", "headless")
_PRIVATE = frozenset(("draft", "private", "pending", "hidden", "unpublished", "protected", "trash"))


def read_entries(files: Iterable[Place]) -> Iterator[Entry | Skipped]:
    """Each file as an entry, or as skipped with the reason."""
    for place in files:
        try:
            yield read_entry(place)
        except Unusable as error:
            yield Skipped(place.shown, error.reason)


def read_entry(place: Place) -> Entry:
    """The entry in one file; raises Unusable with the reason when there is none."""
    if place.is_section:
        raise Unusable("describes its folder, it is no post")
    content, warning = _decode(place.read())
    head, body = front_matter.split(content)
    if not head and not body.strip():
        raise Unusable("is empty")
    entry = _entry(place, head, names.printable(liquid.plain(body)).rstrip())
    if warning:
        entry.warn(warning)
    return entry


def _decode(content: bytes) -> tuple[str, str]:
    """The text with plain line breaks, and a warning when it is not UTF-8."""
    warning = ""
    try:
        decoded = content.decode(
            "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        )
    except UnicodeDecodeError:
        decoded = content.decode("cp1252", "replace")
        warning = "is not UTF-8, read as Windows-1252"
    if _is_binary(decoded, bool(warning)):
        raise Unusable("is not a text file")
    return decoded.replace("\r\n", "\n").replace("\r", "\n"), warning


def _is_binary(decoded: str, guessed: bool) -> bool:
    """Texts have no NUL; where the encoding is a guess they have no other controls either."""
    if "\x00" in decoded:
        return True
    odd = len(re.findall(r"[\x01-\x08\x0e-\x1a\x1c-\x1f\ufffd]", decoded)) if guessed else 0
    return odd * 50 > len(decoded)


def _entry(place: Place, head: Head, body: str) -> Entry:
    title, body = _title(place, head, body)
    if len(body.encode()) > MOST_BODY_BYTES:
        raise Unusable(f"its text is larger than {MOST_BODY_BYTES // 1024} KB")
    paths = [path for name in ("path", "permalink", "url") if (path := _own_path(head.get(name)))]
    entry = Entry(place.shown, place.shown, names.shorten(title), body)
    entry.slug = places.slug_in(place, text(head, "slug"), paths)
    entry.excerpt = names.shorten(text(head, "excerpt", "summary", "description"), _EXCERPT_LENGTH)
    entry.seo_title = text(head, "seo_title", "meta_title")
    entry.seo_description = text(head, "seo_description", "meta_description")
    if entry.title != title:
        entry.warn(f"title cut to {names.TITLE_LENGTH} characters")
    _set_times(entry, place, head, paths)
    _set_terms(entry, place, head)
    entry.person = _person(entry, head)
    entry.old_paths = _old_paths(head, paths)
    entry.comments_open = not _says_no(head, "comments")
    entry.kind = "page" if _is_page(place, head) else "post"
    return entry


def _says_no(head: Head, name: str) -> bool:
    """Whether the head has `name` and it says no."""
    return name in head and head[name] is not None and not is_on(head[name])


def _own_path(value: Any) -> str:
    """A path on the old site; an address elsewhere, as link blogs have it, is none."""
    return text_of(value) if "://" not in text_of(value) else ""


def _title(place: Place, head: Head, body: str) -> tuple[str, str]:
    """The title, and the body without the heading that became the title."""
    if title := text(head, "title"):
        return title, body
    if found := _HEADING.match(body):
        rest = body[found.end() :].lstrip("\n")
        return _heading(found), rest or body
    if found := _ANY_HEADING.search(body):
        return _heading(found), body
    name = re.sub(r"[-_\s]+", " ", re.sub(r"^\d{4}-\d\d?-\d\d?[-_ ]+", "", place.name)).strip()
    return (name[:1].upper() + name[1:]) or names.first_words(body) or "Untitled", body


def _heading(found: re.Match[str]) -> str:
    heading = (found[1] or found[2])[:1000].strip().rstrip("#")
    return names.tidy(_HEADING_MARKS.sub(lambda mark: mark[1] or "", heading)) or "Untitled"


def _is_page(place: Place, head: Head) -> bool:
    """Only what calls itself a page and has no date is one."""
    called = "page" in (text(head, "type").lower(), text(head, "layout").lower())
    return called and not text(head, "date") and "_posts" not in place.parts


def _set_times(entry: Entry, place: Place, head: Head, paths: list[str]) -> None:
    entry.draft = _is_draft(place, head)
    entry.date = _date(entry, head) or places.date_in(place, paths)
    later = read_moment(next(values(head, "publishdate"), None))
    if later and later > datetime.now(UTC):  # not public yet, whatever its date says
        entry.date = later
    entry.unpublish_at = read_moment(next(values(head, "expirydate", "unpublishdate"), None))
    if entry.unpublish_at and entry.date and entry.unpublish_at <= entry.date:
        entry.draft, entry.unpublish_at = True, None
        entry.warn("expires before it is published, so it is a draft")
    if entry.date is None and not entry.draft:
        entry.warn("has no date, published now")


def _date(entry: Entry, head: Head) -> datetime | None:
    for value in values(head, "date", "publishdate", "pubdate", "created"):
        if found := read_moment(value):
            return found
        entry.warn(f"its date “{text_of(value)[:40]}” cannot be read")
    return None


def _is_draft(place: Place, head: Head) -> bool:
    """Whatever its generator keeps from the public, in any of the usual spellings."""
    hidden = any(is_on(value) for value in values(head, *_HIDING))
    build = head.get("build") or head.get("_build")
    rendered = build.get("render") if isinstance(build, dict) else None
    return (
        hidden
        or "_drafts" in place.parts
        or any(_says_no(head, name) for name in ("published", "render", "public"))
        or text_of(rendered).lower() in ("never", "false")
        or any(text_of(value).lower() in _PRIVATE for value in values(head, "status", "visibility"))
    )


def _set_terms(entry: Entry, place: Place, head: Head) -> None:
    """The first category is the category; further ones, and all tags, are tags."""
    categories = _unique([*_named(head, "category", "categories"), *_folder_categories(place)])
    tags = _unique([*categories[1:], *_named(head, "tag", "tags")])
    entry.category = Term(categories[0]) if categories else None
    entry.tags = [Term(name) for name in tags]


def _named(head: Head, one: str, many: str) -> Iterator[str]:
    """Names under `one`, where a text is a single name, and under `many`, where it is a list."""
    for value in values(head, one):
        yield from words(value) if isinstance(value, list) else [text_of(value)]
    for value in values(head, many):
        yield from words(value)


def _folder_categories(place: Place) -> tuple[str, ...]:
    """Jekyll: the folders above `_posts` are categories."""
    parts = place.parts
    return parts[: parts.index("_posts")] if "_posts" in parts else ()


def _unique(found: Iterable[str]) -> list[str]:
    """The names in their order, each once in whatever case, cut to what a label holds."""
    kept: dict[str, str] = {}
    for name in found:
        short = names.shorten(name.strip(), 100)
        if short:
            kept.setdefault(short.casefold(), short)
    return list(kept.values())


def _person(entry: Entry, head: Head) -> Person | None:
    """The first author; there is one place for an author, the others are told in the report."""
    people = [person for value in values(head, "author", "authors") for person in _people(value)]
    others = (
        {person.name.casefold() for person in people[1:]} - {people[0].name.casefold()}
        if people
        else ()
    )
    if others:
        entry.warn(f"{len(others)} more author{'s' if len(others) > 1 else ''} left out")
    return people[0] if people else None


def _people(value: Any) -> Iterator[Person]:
    for each in value[:50] if isinstance(value, list) else [value]:
        person = _from_mapping(each) if isinstance(each, dict) else _from_name(text_of(each)[:200])
        if person:
            yield person


def _from_mapping(value: dict[str, Any]) -> Person | None:
    lowered = {str(key).lower(): text_of(each) for key, each in value.items()}

    def first(*keys: str) -> str:
        return next((lowered[key] for key in keys if lowered.get(key)), "")

    email = first("email", "mail")
    login = first("username", "login", "nick", "nickname", "handle", "id")
    name = first("name", "display_name", "displayname", "full_name", "fullname") or login
    return (
        Person(name or email.partition("@")[0], login or None, email or None)
        if name or email
        else None
    )


def _from_name(name: str) -> Person | None:
    if address := _ADDRESS.match(name):
        return Person(address[1].strip(" \"'") or address[2].partition("@")[0], None, address[2])
    return Person(name) if name else None


def _old_paths(head: Head, paths: list[str]) -> list[str]:
    """Where the old site had it: its aliases, and its own path when that is not a pattern."""
    found = [
        alias
        for value in values(head, "aliases", "alias", "redirect_from")
        for alias in _list(value)
    ]
    kept = dict.fromkeys(places.old_path(text_of(each)) for each in [*found, *paths])
    return [path for path in kept if path]


def _list(value: Any) -> list[Any]:
    return value[:200] if isinstance(value, list) else [value]


def load(
    folder: Path,
    author: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Import every Markdown file below `folder`; run again, it updates what has changed.

    `author` is the username of who wrote what names nobody, else the first administrator.
    Raises Missing for an unknown author.
    """
    files = places.find(folder)
    place = _place(folder, files)
    entries = read_entries(files)
    return loading.load(
        SOURCE, place, entries, len(files), author=author, dry_run=dry_run, progress=progress
    )


def _place(folder: Path, files: list[Place]) -> str:
    """What tells this folder from others: its path, or that of a folder it was moved from."""
    here = folder.resolve().as_posix()
    others = known_places(SOURCE)
    if others and here not in others:
        marks = {place.shown: mark for place in files[:_SAMPLE] if (mark := _mark_of(place))}
        return next((other for other in others if _is_same(marks, other)), here)
    return here


def _mark_of(place: Place) -> str:
    try:
        return loading.mark_of(read_entry(place))
    except Unusable:
        return ""


def _is_same(marks: dict[str, str], other: str) -> bool:
    """Whether most of these files were imported from there and have not changed since."""
    known = known_items(SOURCE, other)
    shared = [item for item in marks if item in known]
    same = sum(known[item].fingerprint == marks[item] for item in shared)
    return same > 0 and same * 2 >= len(marks)
