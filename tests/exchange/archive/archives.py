"""Content of every kind, and functions to look into archives."""

import io
import json
import zipfile
from hashlib import sha256

from quire.actor import SYSTEM, Actor
from quire.exchange.archive import export
from quire.records import (
    APPEARANCE,
    CATEGORIES,
    COMMENTS,
    MEDIA,
    PAGES,
    POSTS,
    PROFILES,
    SETTINGS,
    TAGS,
    USERS,
)
from quire.records.media import upload
from quire.store import read, write
from quire.store.drafts import draft_service
from tests.sample_images import keep

SEO = {"seo_title": "When the tide turns", "seo_description": "Tables"}
LIVE = "2026-01-01T10:00:00Z"


def fill(people):
    """Create records of every type, in every state, with a history, in an application context."""
    root = Actor("admin", people["root"].id, "root", door="admin")
    ann = Actor("author", people["ann"].id, "ann", door="admin")
    bob = Actor("member", people["bob"].id, "bob")
    write.update(USERS, root, people["ann"].id, {"bio": "Writes *about* the sea."})
    write.update(PROFILES, SYSTEM, read.find_id(PROFILES, SYSTEM, user_id=ann.user_id), {
        "display_name": "Ann Ash", "links": ["https://ann.example/"], "website": "https://a.example/",
    })  # fmt: skip
    sea = write.create(CATEGORIES, root, {"name": "Sea", "description": "Water"}).id
    write.create(TAGS, root, {"name": "nets, fishing"})
    first = write.create(
        POSTS, ann, {"title": "Tides", "body": "# Tides", "category": sea, "tags": ["boats", "ebb"]}
    ).id
    write.act(POSTS, ann, first, "publish")
    write.update(
        POSTS, root, first, {"slug": "ebb-and-flood", "tags": ["boats"], "excerpt": "Ë", **SEO}
    )
    write.update(POSTS, SYSTEM, first, {"views": 41})
    write.create(
        POSTS, ann, {"title": "Later", "body": "x", "published_at": "2099-01-01T00:00:00Z"}
    )
    beside = {"title": "Tides, anew", "tags": [1, "not yet"], "seo_title": "Ebb"}
    draft_service.save_draft(POSTS, ann, first, beside)
    gone = write.create(POSTS, root, {"title": "Gone", "body": "=1+1", "comments_open": False}).id
    write.delete(POSTS, root, gone)
    write.create(PAGES, root, {"title": "About", "body": "Us", "position": 3, "published": True})
    _discuss(first, root, bob)
    _illustrate(first, ann)
    write.update(SETTINGS, root, 1, {"site_name": "Tidal", "posts_per_page": 7})
    write.update(APPEARANCE, root, 1, {"accent_color": "#1f4e79"})
    return first


def _discuss(post, root, bob):
    said = write.create(COMMENTS, bob, {"post": post, "body": "Nice"}).id
    write.act(COMMENTS, root, said, "approve")
    write.create(COMMENTS, root, {"post": post, "body": "Thanks", "parent": said})
    write.create(COMMENTS, SYSTEM, {
        "post": post, "body": "From afar", "author_name": "A guest", "status": "spam",
        "created_at": "2012-03-04T05:06:07Z",
    })  # fmt: skip
    trashed = write.create(COMMENTS, bob, {"post": post, "body": "Oops"}).id
    write.delete(COMMENTS, bob, trashed)


def _illustrate(post, ann):
    with keep() as given:
        cover = upload(ann, given, {"alt": "The sea"}).id
    write.update(MEDIA, ann, cover, {"focal_point": {"x": 0.5, "y": 0.25}})
    with keep() as given:
        avatar = upload(ann.as_system(), given, {"owner": ann.user_id, "is_avatar": True}).id
    write.update(USERS, SYSTEM, ann.user_id, {"avatar": avatar})
    write.update(POSTS, SYSTEM, post, {"cover": cover})


def packed(**more):
    """Return the bytes of an archive of everything."""
    return b"".join(export.stream(**more))


def contents(data):
    """Return the files of an archive: lines of JSON by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as zip:
        return {
            name: [json.loads(line) for line in zip.read(name).splitlines()]
            for name in zip.namelist()
            if name.endswith(".ndjson")
        }


def manifest(data):
    """Return the manifest of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as zip:
        return json.loads(zip.read("manifest.json"))


def forged(file, files, facts=None):
    """Write an archive made from lists of objects, or bytes, by name; `facts` replace the usual manifest entries."""
    raw = {
        name: lines if isinstance(lines, bytes) else "\n".join(map(json.dumps, lines)).encode()
        for name, lines in files.items()
    }
    listed = [
        {"name": name, "sha256": sha256(data).hexdigest(), "count": 1} for name, data in raw.items()
    ]
    usual = {
        "format": "quire archive", "format_version": 1, "place": "elsewhere", "passwords": False,
        "files": listed,
    }  # fmt: skip
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zip:
        for name, data in raw.items():
            zip.writestr(name, data)
        zip.writestr("manifest.json", json.dumps(usual | (facts or {})))
    return file
