"""Finds the users for people named in an import, or creates authors who cannot sign in."""

from collections.abc import Iterator
from itertools import count

from sqlalchemy import func, select

from quire.actor import Actor
from quire.declare.email_address import is_address, normalize_address
from quire.errors import NotFound
from quire.exchange.model import ImportedPerson, Unusable
from quire.exchange.names import USERNAME_LENGTH, person_key, shorten, username_from, with_number
from quire.exchange.origin_map import OriginMap
from quire.records import PROFILES, USERS
from quire.store import read, write
from quire.store.db import read_connection

_NAME_LENGTH = 100


class PersonResolver:
    """Finds or creates the user for each person, with one query for each."""

    def __init__(self, actor: Actor, memory: OriginMap, author: str | None):
        """`author` is the username of the default author. Raises NotFound if it is unknown."""
        self._actor = actor
        self._memory = memory
        self._default = None if author is None else self._id_by_username(author)
        if author is not None and self._default is None:
            raise NotFound(f"There is no user called {author}.")

    def id_of(self, person: ImportedPerson | None) -> int:
        """The id of the user for `person`, created if necessary. Raises Unusable without a default author."""
        if person is None:
            return self._default_id()
        email = _address(person.email)
        identity = f"person {email or person_key(person.username or person.name)}"
        id_here = self._memory.id_of(identity, USERS)
        if id_here is None:
            id_here = self._find(person, email) or self._make(person, email)
            self._memory.remember(identity, USERS, id_here)
        return id_here

    def _default_id(self) -> int:
        if self._default is None:
            table = USERS.table.c
            admins = select(func.min(table.id)).where(table.role == "admin", table.is_active)
            with read_connection() as connection:
                self._default = connection.execute(admins).scalar()
        if self._default is None:
            raise Unusable(
                "has no author, and there is no administrator to assign it to: use --author"
            )
        return self._default

    def _id_by_username(self, username: str) -> int | None:
        return read.find_id(USERS, self._actor, username_folded=username)

    def _find(self, person: ImportedPerson, email: str | None) -> int | None:
        """The user by email, otherwise by username, unless it belongs to another person in this import."""
        if email and (id_here := read.find_id(USERS, self._actor, email=email)):
            return id_here
        username = person.username or person.name
        if len(person_key(username)) > USERNAME_LENGTH:
            return self._find_by_whole_name(person.name, username_from(username), email)
        id_here = self._id_by_username(username_from(username))
        return None if id_here is None or self._is_another(id_here, email) else id_here

    def _find_by_whole_name(self, name: str, username: str, email: str | None) -> int | None:
        """The user with exactly this name, among those with this shortened username or a numbered one."""
        for candidate in self._usernames(username):
            id_here = self._id_by_username(candidate)
            if id_here is None:
                return None
            same = _display_name(id_here).casefold() == shorten(name, _NAME_LENGTH).casefold()
            if same and not self._is_another(id_here, email):
                return id_here
        return None

    def _usernames(self, username: str) -> Iterator[str]:
        """`username`, then the same with numbers appended."""
        yield username
        yield from (with_number(username, number, USERNAME_LENGTH) for number in count(2))

    def _is_another(self, id: int, email: str | None) -> bool:
        """Whether this import knows that user with a different email."""
        names = self._memory.names_of(USERS, id)
        addresses = {name for name in names if "@" in name}
        return bool(email and addresses and f"person {email}" not in addresses)

    def _make(self, person: ImportedPerson, email: str | None) -> int:
        username = self._free(username_from(person.username or person.name))
        raw = {"username": username, "role": "author", "is_active": False}
        user = write.create(USERS, self._actor, raw | ({"email": email} if email else {}))
        profile = read.find_id(PROFILES, self._actor, user_id=user.id)
        if profile is not None:
            name = shorten(person.name, _NAME_LENGTH)
            write.update(PROFILES, self._actor, profile, {"display_name": name})
        return user.id

    def _free(self, username: str) -> str:
        return next(one for one in self._usernames(username) if self._id_by_username(one) is None)


def _display_name(user: int) -> str:
    profiles = PROFILES.table.c
    with read_connection() as connection:
        name = select(profiles.display_name).where(profiles.user_id == user)
        return str(connection.execute(name).scalar() or "")


def _address(email: str | None) -> str | None:
    """The normalised email, or None if it is not valid."""
    address = normalize_address(email or "")
    return address if is_address(address) else None
