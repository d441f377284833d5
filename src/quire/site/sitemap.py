"""Addresses for search engines: the sitemap in parts, and what robots need not look at."""

from urllib.parse import quote

from flask import Response, render_template, url_for

from quire.errors import Missing
from quire.site.paths import SAFE, site_root
from quire.store import addresses

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


def sitemap() -> Response:
    """The list of parts (https://www.sitemaps.org/protocol.html)."""
    root = site_root()
    parts = [
        (root + url_for("site.sitemap_part", kind=kind, number=number), changed)
        for kind, number, changed in addresses.parts()
    ]
    return _xml("sitemap_index.xml", parts=parts)


def sitemap_part(kind: str, number: int) -> Response:
    """One part: at most 10,000 addresses."""
    record = addresses.listed().get(kind)
    places = addresses.part(record, number) if record else []
    if not places:
        raise Missing("There is no such part of the sitemap.")
    root = site_root()
    return _xml("sitemap.xml", places=[(root + quote(path, safe=SAFE), at) for path, at in places])


def _xml(template: str, **shown: object) -> Response:
    return Response(render_template(f"quire_site/{template}", **shown), mimetype="application/xml")


def robots() -> Response:
    """What search engines leave alone, and where they find the rest."""
    text = _ROBOTS.format(root=site_root(), sitemap=url_for("site.sitemap"))
    return Response(text, mimetype="text/plain")
