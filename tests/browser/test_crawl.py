"""A crawl of every link as each role: no page is broken, refused or reported by the browser."""

from collections import deque
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

pytestmark = pytest.mark.browser

ROLES = ("ada", "moe", "ann", "mia", None)
PLACES = ("/", "/admin/")
LIMIT = 800
"""Links that one role follows at limit: far more than there are kinds of pages."""


class Crawl:
    """A crawl that follows each kind of link that a user finds: each view, and each parameter of each view."""

    def __init__(self, visit, name):
        self.visit, self.name = visit, name
        self.adapter = visit.site.app.url_map.bind("localhost")
        self.seen, self.pages, self.broken = set(), {}, []

    def kind(self, address):
        """Return the endpoint with the names of parameters; None for an address outside the site."""
        parts = urlsplit(address)
        try:
            endpoint = self.adapter.match(parts.path, method="GET")[0]
        except RequestRedirect as other:
            return self.kind(other.new_url)
        except HTTPException:
            return None
        names = {name for name, _ in parse_qsl(parts.query)}
        return {(endpoint, name) for name in ("", *names)}

    def is_new(self, address):
        """Return whether the address shows a view, or a parameter of it, for the first time."""
        kind = self.kind(address) or {(address, "")}
        new = kind - self.seen
        self.seen |= kind
        return bool(new)

    def run(self):
        """Follow all links; `pages` then contains an address of each view that is a page."""
        waiting, followed = deque((place, "") for place in PLACES), 0
        while waiting and followed < LIMIT:
            address, origin = waiting.popleft()
            if self.is_new(address):
                waiting.extend((link, address) for link in self.follow(address, origin))
                followed += 1
        assert followed < LIMIT

    def follow(self, address, origin):
        """Return the links on a page."""
        answer = self.visit.context.request.get(address)
        stays_out = address == "/admin/" and self.name in ("mia", None)
        if answer.status >= 400 and not stays_out:
            self.broken.append(f"{answer.status} {address}, linked on {origin}")
        if "text/html" not in answer.headers.get("content-type", "") or answer.status >= 400:
            return []
        if "sandbox" in answer.headers.get("content-security-policy", ""):
            return []  # an email as it was sent: third-party content in which no script can run
        kind = self.kind(address)
        endpoint = min(kind)[0] if kind else address
        self.pages.setdefault(endpoint, address)
        return links(answer.text(), answer.url, self.visit.site.url)


def links(text, here, home):
    """Yield the addresses on this site that a page links to."""
    for link in BeautifulSoup(text, "html.parser").select("a[href]"):
        address = urljoin(here, link["href"]).partition("#")[0]
        if address.startswith(home) and "nofollow" not in link.get("rel", ()):
            yield address.removeprefix(home) or "/"


def elements(text):
    """Return the kinds of elements on a page, each with that of its parent."""

    def kind(element):
        return element.name, *element.get("class", ()), element.get("role"), element.get("type")

    return {(kind(one.parent), kind(one)) for one in BeautifulSoup(text, "html.parser").select("*")}


class Examination:
    """A check of pages in each theme and width; a page that an earlier user saw is checked only if it now contains
    more."""

    def __init__(self):
        self.elements = {}

    def findings(self, one, endpoint, address):
        """Return the problems of a page, and the messages of the browser."""
        one.page.goto(address)
        before, present = self.elements.get(endpoint, set()), elements(one.page.content())
        self.elements[endpoint] = before | present
        found = [*(one.findings() if present - before else ()), *one.complaints]
        one.complaints.clear()
        return found


def test_every_link_of_each_role_leads_to_an_accessible_page(visit):
    broken, examination = [], Examination()
    for name in ROLES:
        one = visit(name)
        crawl = Crawl(one, name)
        crawl.run()
        broken += [f"{name}: {words}" for words in crawl.broken]
        for endpoint, address in crawl.pages.items():
            found = examination.findings(one, endpoint, address)
            broken += [f"{name}: {address}: {words}" for words in found]
        assert len(crawl.pages) > 8, name
    assert len(examination.elements) > 60
    assert broken == [], "\n".join(broken)
