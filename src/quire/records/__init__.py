"""The record types, in order: the table of contents of the product."""

from quire.declare.record import check_registry

# ruff: isort: off
from quire.records.posts import POSTS
from quire.records.pages import PAGES
from quire.records.comments import COMMENTS
from quire.records.categories import CATEGORIES
from quire.records.tags import TAGS
from quire.records.users import USERS
from quire.records.profiles import PROFILES
from quire.records.redirects import REDIRECTS
from quire.records.settings import SETTINGS
from quire.records.audit_events import AUDIT_EVENTS
from quire.records.revisions import REVISIONS
# ruff: isort: on

check_registry()

__all__ = [
    "AUDIT_EVENTS",
    "CATEGORIES",
    "COMMENTS",
    "PAGES",
    "POSTS",
    "PROFILES",
    "REDIRECTS",
    "REVISIONS",
    "SETTINGS",
    "TAGS",
    "USERS",
]
