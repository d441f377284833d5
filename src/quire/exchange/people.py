"""People named in an import: existing users, or new authors who cannot sign in."""

import re

from sqlalchemy import func, select

from quire.actor import Actor
from quire.declare.values import EMAIL_PATTERN
from quire.errors import Missing
from quire.exchange.items import Person, Unusable
from quire.exchange.memory import Memory
from quire.exchange.names import USERNAME_LENGTH, numbered, shorten, username_from
from quire.records import PROFILES, USERS
from quire.store import read, write
from quire.store.db import reading

_NAME_LENGTH = 100


class People:
    """Finds or makes the user for each person; asks the database once for each."""

    def __init__(self, actor: Actor, memory: Memory, author: str | None):
        """`author` is the username of who wrote what names nobody. Raises Missing for an unknown one."""
        self._actor = actor
        self._memory = memory
        self._default = None if author is None else self._named(author)
        if author is not None and self._default is None:
            raise Missing(f"There is no user called {author}.")

    def id_of(self, person: Person | None) -> int:
        """The id of the user for `person`, made if need be. Raises Unusable when there is nobody."""
        if person is None:
            return self._default_id()
        email = _address(person.email)
        identity = f"person {email or username_from(person.username or person.name).lower()}"
        known = self._memory.id_of(identity, USERS)
        if known is None:
            known = self._find(person, email) or self._make(person, email)
            self._memory.remember(identity, USERS, known)
        return known

    def _default_id(self) -> int:
        if self._default is None:
            table = USERS.table.c
            admins = select(func.min(table.id)).where(table.role == "admin", table.is_active)
            with reading() as connection:
                self._default = connection.execute(admins).scalar()
        if self._default is None:
            raise Unusable(
                "names no author, and there is no administrator to take it: use --author"
            )
        return self._default

    def _named(self, username: str) -> int | None:
        return read.find_id(USERS, self._actor, username_folded=username.lower())

    def _find(self, person: Person, email: str | None) -> int | None:
        """By e-mail, else by username, unless that belongs to another person of this import."""
        if email and (found := read.find_id(USERS, self._actor, email=email)):
            return found
        found = self._named(username_from(person.username or person.name))
        return None if found is None or self._is_another(found, email) else found

    def _is_another(self, id: int, email: str | None) -> bool:
        """Whether this import knows that user under a different e-mail."""
        names = self._memory.names_of(USERS, id)
        addresses = {name for name in names if "@" in name}
        return bool(email and addresses and f"person {email}" not in addresses)

    def _make(self, person: Person, email: str | None) -> int:
        username = self._free(username_from(person.username or person.name))
        raw = {"username": username, "role": "author", "is_active": False}
        made = write.create(USERS, self._actor, raw | ({"email": email} if email else {}))
        profile = read.find_id(PROFILES, self._actor, user_id=made.id)
        if profile is not None:
            name = shorten(person.name, _NAME_LENGTH)
            write.update(PROFILES, self._actor, profile, {"display_name": name})
        return made.id

    def _free(self, username: str) -> str:
        free, number = username, 2
        while self._named(free) is not None:
            free, number = numbered(username, number, USERNAME_LENGTH), number + 1
        return free


def _address(email: str | None) -> str | None:
    """`email` as users have it, or None when it is not one."""
    address = (email or "").strip().lower()
    return address if len(address) <= 254 and re.fullmatch(EMAIL_PATTERN, address) else None
