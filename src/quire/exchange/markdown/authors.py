"""Finds the author of a page in its front matter."""

import re
from collections.abc import Iterator
from typing import Any

from quire.exchange.markdown.front_matter import Head, text_of, values
from quire.exchange.model import ImportedPerson, ImportedPost

_ADDRESS = re.compile(r"(?<![^\s<>])([^\s<>@]++@[^\s<>]++)>?$")


def person_in(entry: ImportedPost, head: Head) -> ImportedPerson | None:
    """The first author: posts have one, and the report names the others."""
    people = [person for value in values(head, "author", "authors") for person in _people(value)]
    others = (
        {person.name.casefold() for person in people[1:]} - {people[0].name.casefold()}
        if people
        else ()
    )
    if others:
        entry.warn(f"{len(others)} more author{'s' if len(others) > 1 else ''} not imported")
    return people[0] if people else None


def _people(value: Any) -> Iterator[ImportedPerson]:
    for each in value[:50] if isinstance(value, list) else [value]:
        person = _from_mapping(each) if isinstance(each, dict) else _from_name(text_of(each)[:200])
        if person:
            yield person


def _from_mapping(value: dict[str, Any]) -> ImportedPerson | None:
    lowered = {str(key).lower(): text_of(each) for key, each in value.items()}

    def first(*keys: str) -> str:
        return next((lowered[key] for key in keys if lowered.get(key)), "")

    email = first("email", "mail")
    login = first("username", "login", "nick", "nickname", "handle", "id")
    name = first("name", "display_name", "displayname", "full_name", "fullname") or login
    return (
        ImportedPerson(name or email.partition("@")[0], login or None, email or None)
        if name or email
        else None
    )


def _from_name(name: str) -> ImportedPerson | None:
    if address := _ADDRESS.search(name):
        before = name[: address.start()].rstrip(" \"'<").lstrip(" \"'")
        return ImportedPerson(before or address[1].partition("@")[0], None, address[1])
    return ImportedPerson(name) if name else None
