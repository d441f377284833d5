"""Addresses for search engines: the sitemap in parts, and what robots need not look at."""

from urllib.parse import quote

from flask import Response, render_template, url_for

from quire.errors import Missing
from quire.site.paths import SAFE, site_root
from quire.store import addresses
from quire.store.months import posts_by_month
from quire.store.site import site_settings

_ROBOTS = """\
User-agent: *
Disallow: /admin/
Disallow: /api/
Disallow: /auth/
Disallow: /display
Disallow: /search
Disallow: /theme/

Sitemap: {root}{sitemap}
"""


LISTS = "lists"
"""The part of the pages that are no record's own."""


def sitemap() -> Response:
    """The list of parts (https://www.sitemaps.org/protocol.html)."""
    root = site_root()
    lists = (LISTS, 1, _lists()[0][1])
    parts = [
        (root + url_for("site.sitemap_part", kind=kind, number=number), changed)
        for kind, number, changed in [lists, *addresses.parts()]
    ]
    return _xml("sitemap_index.xml", parts=parts)


def sitemap_part(kind: str, number: int) -> Response:
    """One part: at most 10,000 addresses."""
    if (kind, number) == (LISTS, 1):
        places = _lists()
    else:
        record = addresses.listed().get(kind)
        places = addresses.part(record, number) if record else []
    if not places:
        raise Missing("There is no such part of the sitemap.")
    root = site_root()
    return _xml("sitemap.xml", places=[(root + quote(path, safe=SAFE), at) for path, at in places])


def _lists() -> list[tuple[str, str]]:
    """Path and newest change of the pages that list posts: the home page, the archive, its months."""
    months = posts_by_month()
    newest = max((one.changed for one in months), default=site_settings()["updated_at"])
    archive = [(url_for("site.archive"), newest)] if months else []
    return [
        (url_for("site.home"), newest),
        *archive,
        *((url_for("site.month", year=one.year, month=one.month), one.changed) for one in months),
    ]


def _xml(template: str, **shown: object) -> Response:
    return Response(render_template(f"quire_site/{template}", **shown), mimetype="application/xml")


def robots() -> Response:
    """What search engines leave alone, and where they find the rest."""
    text = _ROBOTS.format(root=site_root(), sitemap=url_for("site.sitemap"))
    return Response(text, mimetype="text/plain")
