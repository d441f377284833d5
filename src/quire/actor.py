"""The actor: the value that every rule, read and write receives to know who asks; never None."""

from dataclasses import dataclass, replace
from functools import lru_cache

ROLES = ("member", "author", "moderator", "admin")
"""The roles of people, in ascending order."""

_RANK = {name: rank for rank, name in enumerate(("anonymous", *ROLES, "system"))}


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone or something that reads and writes.

    `role` is a word of ROLES, "anonymous" or "system"; `proof` is how the identity was proven (none, session,
    token, key, console, import, job); `door`, `ip` and `request_id` go to the audit log. `scopes` are those of an
    API key, such as `posts:read`; None means no such limit. `session_id` is the session of the credential,
    `api_key_id` the API key. `impersonator` is the administrator who views the site as this user. `language` is the
    one that the user has chosen for pages and mails, `auto` for the browser's.
    """

    role: str
    user_id: int | None = None
    username: str | None = None
    proof: str = "none"
    door: str = "api"
    ip: str | None = None
    request_id: str | None = None
    scopes: frozenset[str] | None = None
    session_id: int | None = None
    api_key_id: int | None = None
    impersonator: "Actor | None" = None
    language: str = "auto"

    def __hash__(self) -> int:
        """Hash only what distinguishes cache keys: this is called many times per request."""
        return hash((self.role, self.user_id, self.scopes))

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody is authenticated."""
        return self.role == "anonymous"

    @property
    def is_system(self) -> bool:
        """Whether this is the program itself: commands, imports, jobs."""
        return self.role == "system"

    def at_least(self, role: str) -> bool:
        """Whether this actor's role is `role` or a higher one."""
        return _RANK[self.role] >= _RANK[role]

    def has_scope(self, scope: str | None) -> bool:
        """Whether the credential does not forbid what `scope` names; None is what no key may do."""
        return self.scopes is None or scope in self.scopes

    def with_context(self, **circumstances: str | None) -> "Actor":
        """Return the same actor with another interface, address, request id or proof."""
        return replace(self, **circumstances)  # type: ignore[arg-type]

    @property
    def cache_key_actor(self) -> "Actor":
        """Return one actor for all with the same role and scopes, as a cache key: rules depend on nothing else."""
        return _cache_key_actor(self.role, self.user_id is None, self.scopes)

    def cache_key_actor_for(self, scopes: frozenset[str] | None) -> "Actor":
        """Return the same if only these scopes matter (None: all): one key for many sets of scopes."""
        if scopes is None:
            return self.cache_key_actor
        effective_scopes = None if self.scopes is None else self.scopes & scopes
        return _cache_key_actor(self.role, self.user_id is None, effective_scopes)

    def as_system(self) -> "Actor":
        """Return the program itself, doing what follows from this actor's change."""
        return Actor("system", None, None, self.proof, self.door, self.ip, self.request_id)


@lru_cache(256)
def _cache_key_actor(role: str, nameless: bool, scopes: frozenset[str] | None) -> Actor:
    return Actor(role, None if nameless else 0, scopes=scopes)


NO_SCOPES: frozenset[str] = frozenset()
"""The scopes to consider for decisions that do not depend on any."""
ANONYMOUS = Actor("anonymous")
SYSTEM = Actor("system", proof="console", door="cli")
