"""The demo: a site that looks as if people were working on it today, with an administrator to try it."""

import io
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count, cycle
from typing import Any

from quire.actor import SYSTEM
from quire.declare.clock import now, rfc3339
from quire.exchange.demo_pictures import SKIES, landscape
from quire.exchange.sample_data import Raw, SampleGenerator
from quire.exchange.seed import write_comments, write_records
from quire.records import APPEARANCE, CATEGORIES, COMMENTS, PAGES, POSTS, SETTINGS, TAGS, USERS
from quire.records.media import upload
from quire.records.site_settings import ONLY_ROW
from quire.store.daily_views import add_views
from quire.store.files.receive import receive
from quire.store.write import create, update

DAYS = 60
"""How many days back the posts go."""
USERS_ADDED, TAGS_ADDED, POSTS_ADDED, COMMENTS_ADDED = 6, 12, 40, 120
PENDING, OWN = 23, 5
"""The numbers of pending comments and of the administrator's own posts."""

ABOUT = (
    "This is a **Quire** with sample content. Edit this page in the admin panel under *Pages*, "
    "or start again with an empty instance folder."
)
FOOTER = "Made with **Quire**. Everything on this site is sample content: try whatever you like."
TAGLINE = "Notes on things that are made, mended and looked after by hand."
SECTIONS = {
    "Workshop": "Tools, joints, glue, and what to do when it does not hold.",
    "Garden": "Beds, bees and orchards through the year.",
    "Coast": "Tides, ferries, lanterns and the people who keep them.",
    "Town": "Libraries, bridges, markets and the archive.",
}
ALT = "Hills in three shades below a large sun"


def create_demo() -> tuple[str, str]:
    """Fill an empty installation; return the email address and password of its administrator."""
    password, email = secrets.token_urlsafe(12), "admin@example.org"
    account = {"username": "admin", "email": email, "password": password, "role": "admin"}
    admin = create(USERS, SYSTEM, account).id
    update(SETTINGS, SYSTEM, ONLY_ROW, {"tagline": TAGLINE})
    update(APPEARANCE, SYSTEM, ONLY_ROW, {"footer": FOOTER})
    create(PAGES, SYSTEM, {"title": "About", "body": ABOUT, "published": True})
    _fill(admin, now().replace(microsecond=0))
    return email, password


def _fill(admin: int, today: datetime) -> None:
    samples = SampleGenerator(1, today, DAYS)
    people = _write(USERS, samples.users(USERS_ADDED, {"admin"}), "username", "role")
    tags = [one["id"] for one in _write(TAGS, samples.tags(TAGS_ADDED, set()))]
    sections = [{"name": name, "description": text} for name, text in SECTIONS.items()]
    categories = [one["id"] for one in _write(CATEGORIES, sections)]
    covers = _covers(admin)
    authors = [one["id"] for one in people if one["role"] != "member"]
    raws = list(samples.posts(POSTS_ADDED, authors, tags))
    for number, raw, category, cover in zip(count(), raws, cycle(categories), cycle(covers)):
        raw.update(category=category, cover=cover if number % 5 != 3 else None)
        raw.update({"author": admin} if number < OWN else {})
    _state_of_own(raws, today)
    posts = _write(POSTS, raws, "published_at", "status")
    live = [
        {"id": one["id"], "at": one["published_at"]}
        for one in posts
        if one["status"] == "published"
    ]
    write_comments(samples, COMMENTS_ADDED, live, people, lambda _: None)
    _write(COMMENTS, _pending_comments(samples, live, people, today))
    for number in range(DAYS):  # fewer people read at weekends
        day = today - timedelta(days=number)
        add_views(40 + 5 * (DAYS - number) + (60 if day.weekday() < 5 else 0), day)


def _state_of_own(raws: list[Raw], today: datetime) -> None:
    """Give the administrator posts in every state: two live, one scheduled, two drafts."""
    moments = [today - timedelta(days=2), today - timedelta(days=9), today + timedelta(days=3)]
    for raw, moment in zip(raws[:OWN], [*moments, None, None], strict=True):
        raw["published_at"] = moment and rfc3339(moment)
        raw["created_at"] = rfc3339(today - timedelta(days=10))


def _pending_comments(
    samples: SampleGenerator, posts: Sequence[Raw], people: Sequence[Raw], today: datetime
) -> list[Raw]:
    """Recent comments that have not been moderated yet."""
    raws = list(samples.comments(PENDING, posts, people, ()))
    for number, raw in enumerate(reversed(raws)):
        raw |= {
            "status": "pending",
            "created_at": rfc3339(today - timedelta(minutes=7 + 97 * number)),
        }
    return raws


def _covers(owner: int) -> list[int]:
    """Upload one picture for each sky; return their ids."""
    return [
        _upload(f"hills-{number}.png", landscape(number), owner) for number in range(len(SKIES))
    ]


def _upload(name: str, content: bytes, owner: int) -> int:
    with receive(io.BytesIO(content), name) as received:
        return upload(SYSTEM, received, {"alt": ALT, "owner": owner}).id


def _write(record: Any, raws: Any, *keep: str) -> Sequence[Raw]:
    return write_records(record, raws, lambda _: None, *keep)
