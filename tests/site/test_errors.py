"""Failures: a page for people, JSON for programs, redirects for moved pages, unusual input."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError
from werkzeug.exceptions import TooManyRequests

from quire.actor import SYSTEM
from quire.errors import PermissionDenied, Unauthenticated, Unavailable, ValidationFailed
from quire.records import PAGES, POSTS, REDIRECTS
from quire.store.db import db, transaction
from quire.store.write import create, update
from tests.site.conftest import soup

ODD = [
    "/?page=abc", "/?page=", "/?page=0", "/?page=-1", f"/?page={10**20}", "/?page=%00", "/?page=%ff",
    "/?page=1.5", "/?page=%C2%B2", "/?page=" + "9" * 5000, "/tags/sea?page=x", "/authors/ann?page=x",
    "/categories/field-notes?page=-5", "/search?q=sea&page=abc", "/search?q=%00", "/search?page=%00",
    "/search?q=" + "a" * 5000, "/posts/live?page=x", "/posts/%00", "/posts/%ff", "/posts/live%00",
    "/posts/" + "a" * 5000, "/posts/" + "1" * 22, "/pages/%00", "/tags/%00", "/tags/%ff%fe",
    "/categories/%00", "/authors/%00", "/authors/%ff", "/authors/" + "9" * 22, "/%00", "/%ff",
    "/posts/a/b", "/posts/..%2f..%2fetc%2fpasswd", "/static/..%2fdoor.py", "/static/%00",
    "/theme/pink", "/theme/%00", "/auth/setup/%00", "/auth/setup/%ff", "/posts/%F0%9F%92%A9",
    "/posts/'%20OR%201=1--", "/about%00", "/nowhere?page=" + "x" * 3000,
]  # fmt: skip
FINE = ["/?page=1", "/?page=1&page=x", "/?utm_source=%ff", "/search?q=%22%27%28%29%2A%3A", "/search?q=%ff",
        "/search?q=a%5Cb%20NEAR(x", "/posts/live?reply=%00", "/?page=%31"]  # fmt: skip


@pytest.mark.parametrize("path", ODD)
def test_malformed_input_is_refused_with_a_message(client, content, path):
    response = client.get(path)
    assert response.status_code in (400, 404), response.status_code
    page = soup(response)
    assert page.h1.text in ("Not found", "Bad request", "Search")


@pytest.mark.parametrize("path", FINE)
def test_unusual_but_valid_input(client, content, path):
    assert client.get(path).status_code == 200


def test_invalid_cookie_is_ignored(client, content):
    for value in ("x", "a" * 3000, "%00", "theme=pink", "theme=%ff", "é"):
        client.set_cookie("user_prefs", value)
        client.set_cookie("quire", value)
        client.set_cookie("remember_token", value)
        assert client.get("/").status_code == 200


@pytest.fixture
def broken(make_app):
    """`broken(error)`: a client of an application in which one URL fails with this error."""
    app = make_app()
    failing = {}

    @app.get("/broken")
    def fail():
        raise failing["error"]

    def ready(error):
        failing["error"] = error
        return app.test_client()

    return ready


@pytest.mark.parametrize(
    ("error", "status", "heading"),
    [
        (Unauthenticated("Sign in to do this."), 401, "Unauthorized"),
        (PermissionDenied("This requires the admin role."), 403, "Forbidden"),
        (TooManyRequests(retry_after=7), 429, "Too many requests"),
        (RuntimeError("secret detail"), 500, "Internal server error"),
        (ProgrammingError("SELECT secret", {}, Exception("secret detail")), 500, "Internal"),
        (Unavailable("Try again.", headers={"Retry-After": "5"}), 503, "Service unavailable"),
    ],
)
def test_each_error_has_a_page(broken, error, status, heading):
    response = broken(error).get("/broken")
    assert response.status_code == status
    page = soup(response)
    assert heading in page.h1.text and page.html["lang"] == "en"
    assert "secret" not in response.text and "Traceback" not in response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert "Accept" in response.headers["Vary"]
    assert page.find("a", href="/")
    if status in (429, 503):
        assert response.headers["Retry-After"]
    assert (response.headers.get("WWW-Authenticate") is not None) == (status == 401)
    assert bool(page.main.find("a", href="/auth/login")) == (status == 401)


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("/nowhere", "application/json", "application/json"),
        ("/nowhere", "application/problem+json", "application/problem+json"),
        ("/nowhere", "application/json;q=0.5,text/html", "text/html"),
        ("/nowhere", "text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("/nowhere", "*/*", "text/html"),
        ("/nowhere", "image/png", "text/html"),
        ("/nowhere", "", "text/html"),
        ("/api/v1/nowhere", "text/html", "application/json"),
        ("/api/nowhere", "text/html", "application/json"),
        ("/api", "text/html", "application/json"),
        ("/apiary", "text/html", "text/html"),
    ],
)
def test_programs_get_json(client, path, accept, kind):
    client.checked = False
    response = client.get(path, headers={"Accept": accept})
    assert (response.status_code, response.mimetype) == (404, kind)


def test_wrong_method_lists_the_allowed_ones(client, content):
    response = client.delete("/posts/live")
    assert response.status_code == 405
    assert {"GET", "HEAD", "POST"} <= set(response.headers["Allow"].split(", "))
    assert soup(response).h1.text == "Method not allowed"


def test_too_large_form(client, people):
    response = client.post("/auth/login", data={"email": "x" * (1024 * 1024 + 1)})
    assert response.status_code == 413
    assert soup(response).h1.text == "Content too large"


def test_invalid_credentials_are_not_anonymous(client, content):
    response = client.get("/", headers={"Authorization": "Bearer nonsense"})
    assert response.status_code == 401
    assert "WWW-Authenticate" in response.headers
    assert client.get("/nowhere", headers={"Authorization": "x"}).status_code == 404


def test_unreachable_database(make_app, monkeypatch):
    def refuse(*args, **kwargs):
        raise OperationalError("SELECT secret", {}, Exception("secret detail"))

    app = make_app()
    client = app.test_client()
    with app.app_context():
        monkeypatch.setattr(db.engine, "connect", refuse)
    for path in ("/", "/nowhere", "/posts/live"):
        response = client.get(path)
        assert response.status_code == 503, path
        assert response.headers["Retry-After"] == "5"
        assert soup(response).h1.text == "Service unavailable" and "secret" not in response.text
    assert client.get("/healthz").status_code == 200


def test_failing_error_page_is_still_a_page(client, monkeypatch):
    def fail():
        raise ProgrammingError("SELECT secret", {}, Exception("secret detail"))

    monkeypatch.setattr("quire.site.errors.page_context", fail)
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert soup(response).h1.text == "Not found" and "secret" not in response.text


def test_old_slugs_redirect_to_new_ones(app, client, content):
    with app.app_context():
        update(POSTS, SYSTEM, content.live, {"slug": "lively"})
        update(PAGES, SYSTEM, content.about, {"slug": "about-us"})
    response = client.get("/posts/live")
    assert (response.status_code, response.location) == (301, "/posts/lively")
    assert client.get("/pages/about").location == "/pages/about-us"
    assert client.post("/posts/live").status_code == 404
    assert client.head("/posts/live").status_code == 301


def test_new_slug_has_no_redirect(app, client, make, content):
    make(REDIRECTS, path="/aside", target="/posts/live")
    make(REDIRECTS, path="/posts/lively", target="/aside")
    with app.app_context():
        update(POSTS, SYSTEM, content.live, {"slug": "lively"})
    assert client.get("/posts/lively").status_code == 200
    for path in ("/aside", "/posts/live"):
        assert client.get(path).location == "/posts/lively"


def test_old_slug_does_not_reveal_a_draft(app, client, visitor, content):
    with app.app_context():
        update(POSTS, SYSTEM, content.draft, {"slug": "still-a-draft"})
        update(POSTS, SYSTEM, content.trashed, {"slug": "gone-for-good"})
        update(PAGES, SYSTEM, content.secret, {"slug": "very-secret"})
    for path in ("/posts/draft", "/posts/trashed", "/pages/secret"):
        for browser in (client, visitor("bob")):
            response = browser.get(path)
            assert response.status_code == 404 and "Location" not in response.headers
    assert visitor("ann").get("/posts/draft").location == "/posts/still-a-draft"


@pytest.mark.parametrize(
    ("path", "target", "permanent", "status"),
    [
        ("/2019/05/old", "/posts/live", True, 301),
        ("/2019/05/old/", "/posts/live?x=1#y", False, 302),
        ("/elsewhere", "https://example.org/a", True, 301),
        ("/odd/grüße", "/search?q=x", True, 301),
    ],
)
def test_redirects(client, make, content, path, target, permanent, status):
    make(REDIRECTS, path=path, target=target, permanent=permanent)
    for spelling in (path, path.rstrip("/"), path.rstrip("/") + "/"):
        response = client.get(spelling)
        assert (response.status_code, response.location) == (status, target)


@pytest.mark.parametrize(
    ("path", "target"),
    [("/b", "/posts/none"), ("/c", "/posts/%00"), ("/d", "/authors/bob")],
)
def test_redirects_to_missing_pages(client, make, content, path, target):
    make(REDIRECTS, path=path, target=target)
    assert client.get(path).status_code == 404


def test_redirects_never_form_loops(as_, make):
    make(REDIRECTS, path="/a", target="/b")
    b = make(REDIRECTS, path="/b", target="/c?x=1")
    moderator = as_("mod")
    for path, target in (("/d", "/d/#e"), ("/y/", "/y"), ("/c/", "/a")):
        refused = moderator.post("redirects", json={"path": path, "target": target})
        assert (refused.status_code, refused.json["details"]) == (
            422,
            [{"field": "target", "code": "not_allowed", "message": f"This leads back to {path}."}],
        )
    refused = moderator.patch(f"redirects/{b}", json={"target": "/a"})
    assert refused.json["details"][0]["message"] == "This leads back to /b."
    assert moderator.patch(f"redirects/{b}", json={"path": "/f", "target": "/b"}).status_code == 200


def test_simultaneous_redirects_form_no_loop(app):
    def save(path, target):
        with app.app_context():
            create(REDIRECTS, SYSTEM, {"path": path, "target": target})

    with ThreadPoolExecutor(1) as pool:
        with app.app_context(), transaction():
            save("/a", "/b")
            other = pool.submit(save, "/b", "/a")
            with pytest.raises(TimeoutError):
                other.result(timeout=0.3)
        with pytest.raises(ValidationFailed):
            other.result(timeout=10)


def test_redirect_never_hides_an_existing_page(client, make, content):
    make(REDIRECTS, path="/posts/live", target="/posts/abes")
    assert client.get("/posts/live").status_code == 200


def test_paths_are_validated_before_any_query(statements, client, content):
    for path in ("/posts/live%00", "/posts/" + "a" * 300):
        response, seen = statements(client.get, path)
        assert response.status_code == 404
        assert not [one for one in seen if "posts.slug" in one], path
