"""The Ghost Content API: public content for a key that opens nothing else, in Ghost's shapes."""

from io import BytesIO

import pytest
from sqlalchemy import select, update

from quire.records import API_KEYS, POSTS
from quire.security.tokens import digest
from quire.store.db import read_connection, transaction
from tests.clocks import PAST
from tests.sample_images import picture
from tests.users import give_session

CONTENT = "/ghost/api/content"
UNKNOWN = "0" * 26


def slugs(answer, kind="posts"):
    assert answer.status_code == 200, answer.text
    return [one["slug"] for one in answer.json[kind]]


def test_posts_have_ghosts_fields(ghost, content):
    answer = ghost("posts/")
    post = answer.json["posts"][0]
    assert post["id"] == post["comment_id"] == str(content.live)
    assert (post["title"], post["slug"], post["html"]) == ("Live", "live", "<p>About Live.</p>\n")
    assert (post["excerpt"], post["custom_excerpt"]) == ("About Live.", None)
    assert (post["visibility"], post["access"], post["featured"]) == ("public", True, False)
    assert post["published_at"] == "2026-01-02T10:00:00.000+00:00"
    assert post["url"] == "http://localhost/posts/live"
    assert len(post["uuid"]) == 36 and post["reading_time"] == 1
    assert not {"plaintext", "tags", "authors", "primary_tag"} & post.keys()
    for name in ("meta_title", "meta_description", "feature_image", "og_image", "canonical_url"):
        assert post[name] is None
    assert answer.json["meta"]["pagination"] == {
        "page": 1, "limit": 15, "pages": 1, "total": 2, "next": None, "prev": None,
    }  # fmt: skip


def test_authors_and_tags_are_included(ghost, content, as_, app):
    profile = as_("ann").get("profiles?user.username=ann").json["profiles"][0]
    as_("ann").patch(
        f"profiles/{profile['id']}", json={"display_name": "Ann B.", "location": "Sea"}
    )
    post = ghost("posts/slug/live/", include="authors,tags,tiers").json["posts"][0]
    author = post["authors"][0]
    assert post["primary_author"] == author and post["primary_tag"] == post["tags"][0]
    assert (author["name"], author["slug"], author["location"]) == ("Ann B.", "ann", "Sea")
    assert author["url"] == "http://localhost/authors/ann"
    assert [(tag["name"], tag["url"]) for tag in post["tags"]] == [
        ("sea", "http://localhost/tags/sea"), ("sky", "http://localhost/tags/sky"),
    ]  # fmt: skip
    page = ghost("pages/", include="authors,tags").json["pages"][0]
    assert (page["authors"], page["primary_tag"]) == ([], None)


def test_urls_are_absolute_with_the_public_url(make_app, people, make, as_):
    client = make_app(PUBLIC_URL="https://example.org").test_client()
    give_session(client.application, client, people["ann"])
    body = "[here](/pages/about)"
    sent = {"title": "Sea", "body": body, "published_at": PAST, "seo_title": "Found"}
    client.post("posts", json=sent)
    key = client.post("api_keys", json={"name": "k", "scopes": ["content:read"]}).json["key"]
    post = client.get(f"{CONTENT}/posts/?key={key}").json["posts"][0]
    assert post["url"] == "https://example.org/posts/sea"
    assert 'href="https://example.org/pages/about"' in post["html"]
    assert post["meta_title"] == "Found"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"limit": "1"}, (["live"], 1, 2, 2, None)),
        ({"limit": "1", "page": "2"}, (["abes"], 1, 2, None, 1)),
        ({"limit": "all"}, (["live", "abes"], 100, 1, None, None)),
        ({"limit": "500"}, (["live", "abes"], 100, 1, None, None)),
    ],
)
def test_pages(ghost, content, sent, expected):
    answer = ghost("posts/", **sent)
    at = answer.json["meta"]["pagination"]
    assert (slugs(answer), at["limit"], at["pages"], at["next"], at["prev"]) == expected


def test_fields_and_formats(ghost, content):
    assert ghost("posts/", fields="title,url,boats", limit=1).json["posts"] == [
        {"title": "Live", "url": "http://localhost/posts/live"}
    ]
    post = ghost("posts/", fields="title", include="tags").json["posts"][0]
    assert set(post) == {"title", "tags", "primary_tag"}
    post = ghost("posts/", formats="plaintext").json["posts"][0]
    assert post["plaintext"] == "About Live." and "html" not in post
    post = ghost("posts/", formats="html,plaintext,mobiledoc").json["posts"][0]
    assert post["plaintext"] and post["html"]


def test_bodies_are_read_only_if_part_of_them_is_shown(ghost, content, statements):
    ghost("posts/", fields="title")
    sent = statements(lambda: ghost("posts/", fields="title"))[1]
    assert not [one for one in sent if "body_html" in one]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("title ASC", ["abes", "live"]),
        ("published_at asc", ["abes", "live"]),
        ("published_at DESC, title asc", ["live", "abes"]),
        ("slug", ["abes", "live"]),
    ],
)
def test_order(ghost, content, order, expected):
    assert slugs(ghost("posts/", order=order)) == expected


def test_tags_and_authors_are_counted(ghost, content):
    tags = ghost("tags/", include="count.posts").json["tags"]
    assert [(one["slug"], one["count"]) for one in tags] == [
        ("sea", {"posts": 1}), ("sky", {"posts": 1}),
    ]  # fmt: skip
    authors = ghost("authors/", include="count.posts").json["authors"]
    assert [(one["slug"], one["count"]["posts"]) for one in authors] == [
        ("abe", 1), ("ann", 1), ("mod", 0), ("root", 0),
    ]  # fmt: skip
    assert "count" not in ghost("tags/").json["tags"][0]
    assert ghost("authors/", include="count.posts", page=2).json["authors"] == []


def test_one_post_by_id_and_by_slug(ghost, content, people):
    assert ghost(f"posts/{content.live}/").json["posts"][0]["slug"] == "live"
    assert ghost("pages/slug/about/").json["pages"][0]["title"] == "About"
    assert ghost("tags/slug/sea/").json["tags"][0]["name"] == "sea"
    assert ghost(f"authors/{people['ann'].id}").json["authors"][0]["slug"] == "ann"
    assert ghost("authors/slug/ANN/").json["authors"][0]["slug"] == "ann"
    # a client sends the slug as a parameter too, and may send parameters of lists
    assert slugs(ghost("posts/slug/live/", slug="live", page=3, filter="x")) == ["live"]


def test_settings(ghost, content, as_):
    root = as_("root")
    root.patch("settings", json={"site_name": "Sea", "tagline": "Waves"})
    assert ghost("settings/").json["settings"]["navigation"] == [
        {"label": "About", "url": "/pages/about"}
    ]
    menu = [{"label": "Home", "url": "/"}]
    look = {"menu": menu, "accent_color": "#0b6b5f", "language": "de"}
    root.patch("appearance", json=look)
    shown = ghost("settings/").json["settings"]
    assert (shown["title"], shown["description"], shown["lang"]) == ("Sea", "Waves", "de")
    assert (shown["navigation"], shown["accent_color"]) == (menu, "#0b6b5f")
    assert shown["url"] == "http://localhost/" and shown["logo"] is None


def test_image_urls_are_absolute(ghost, content, as_, people):
    own, file = as_("ann"), {"file": (BytesIO(picture()), "a.png"), "alt": "A wave"}
    image = own.post("media", data=file).json
    own.patch(f"posts/{content.live}", json={"cover": image["id"]})
    own.patch("users/me", json={"avatar": image["id"]})
    as_("root").patch("appearance", json={"logo": image["id"]})
    post = ghost("posts/slug/live/", include="authors").json["posts"][0]
    assert post["feature_image"] == f"http://localhost{image['url']}"
    assert post["feature_image_alt"] == "A wave"
    assert post["primary_author"]["profile_image"] == post["feature_image"]
    assert ghost("settings/").json["settings"]["logo"] == post["feature_image"]


@pytest.mark.parametrize("owner", ["root", "ann", "bob"])
def test_only_public_content_is_served_whoever_owns_the_key(as_, client, content, owner):
    sent = {"name": "site", "scopes": ["content:read"]}
    key = as_(owner).post("api_keys", json=sent).json["key"]
    assert slugs(client.get(f"{CONTENT}/posts/?key={key}")) == ["live", "abes"]
    for hidden in (content.draft, content.later, content.archived, content.trashed):
        assert client.get(f"{CONTENT}/posts/{hidden}/?key={key}").status_code == 404
    assert client.get(f"{CONTENT}/authors/slug/bob/?key={key}").status_code == 404
    assert "example.org" not in client.get(f"{CONTENT}/authors/?key={key}").text


def test_key_has_the_expected_form_and_only_its_hash_is_stored(app, content_key):
    assert len(content_key) == 26 and set(content_key) <= set("0123456789abcdef")
    with app.app_context(), read_connection() as connection:
        row = connection.execute(select(API_KEYS.table)).one()
    assert row.hash == digest(content_key) and content_key not in str(row)
    assert row.prefix == content_key[:6]


@pytest.mark.parametrize("path", ["/api/v1/posts", "/api/compat/json-server/posts", "/dashboard"])
@pytest.mark.parametrize("header", ["X-API-Key", "Authorization"])
def test_key_is_not_accepted_at_other_urls(client, content_key, path, header):
    client.checked = False
    value = content_key if header == "X-API-Key" else f"Bearer {content_key}"
    assert client.get(path, headers={header: value}).status_code == 401


def test_api_keys_are_not_accepted_here(as_, client):
    sent = {"name": "k", "scopes": ["posts:read"]}
    key = as_("ann").post("api_keys", json=sent).json["key"]
    assert client.get(f"{CONTENT}/posts/?key={key}").status_code == 401


def test_content_scope_cannot_be_combined(as_):
    sent = {"name": "k", "scopes": ["content:read", "posts:read"]}
    answer = as_("ann").post("api_keys", json=sent)
    assert answer.status_code == 422
    assert answer.json["details"] == [
        {
            "field": "scopes",
            "code": "not_allowed",
            "message": "content:read cannot be combined with other scopes.",
        }
    ]


@pytest.mark.parametrize("query", ["", "?key=", "?key=x", f"?key={UNKNOWN}"])
def test_requests_without_a_key_are_refused(client, query):
    for path in ("posts/", "posts/1/", "settings/", "boats/"):
        answer = client.get(f"{CONTENT}/{path}{query}")
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"]
        assert answer.json["errors"][0]["type"] == "UnauthorizedError"


@pytest.mark.parametrize("change", ["expired", "revoked", "elsewhere", "inactive"])
def test_keys_end_like_others(app, as_, client, content_key, change, stop_clock):
    if change == "expired":
        with app.app_context(), transaction() as connection:
            ends = update(API_KEYS.table).values(expires_at=API_KEYS.table.c.created_at)
            connection.execute(ends)
    elif change == "revoked":
        assert as_("ann").delete("api_keys/1").status_code == 204
    elif change == "elsewhere":
        as_("ann").patch("api_keys/1", json={"networks": ["192.0.2.0/24"]})
    else:
        as_("root").patch("users/3", json={"is_active": False})
    assert client.get(f"{CONTENT}/posts/?key={content_key}").status_code == 401


def test_use_of_a_key_is_recorded(as_, ghost):
    ghost("posts/")
    assert as_("ann").get("api_keys/1").json["last_used_at"]


@pytest.mark.parametrize(
    ("path", "sent", "status", "kind", "field"),
    [
        ("boats/", {}, 404, "NotFoundError", None),
        ("posts/4711/", {}, 404, "NotFoundError", None),
        ("posts/63887bd07f2cf32001fec7a4/", {}, 404, "NotFoundError", None),
        ("posts/slug/nothing/", {}, 404, "NotFoundError", None),
        ("posts/slug/%00/", {}, 404, "NotFoundError", None),
        ("posts/", {"limit": "0"}, 400, "BadRequestError", "limit"),
        ("posts/", {"page": "x"}, 400, "BadRequestError", "page"),
        ("posts/", {"order": "boats"}, 400, "BadRequestError", "order"),
        ("posts/", {"order": "title up"}, 400, "BadRequestError", "order"),
        ("posts/", {"filter": "boats:1"}, 400, "BadRequestError", "filter"),
        ("authors/", {"filter": "email:x"}, 400, "BadRequestError", "filter"),
    ],
)
def test_errors_have_ghosts_shape(ghost, path, sent, status, kind, field):
    answer = ghost(path, **sent)
    assert answer.status_code == status and answer.mimetype == "application/json"
    [error] = answer.json["errors"]
    assert (error["type"], error["property"]) == (kind, field)
    assert error["message"] and error["code"] and error["id"] == answer.headers["X-Request-Id"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", ["posts/", "posts/1/", "posts/slug/x/", "settings/", "boats/"])
def test_changes_are_refused_in_ghosts_shape(client, content_key, method, path):
    answer = getattr(client, method)(f"{CONTENT}/{path}?key={content_key}", json={})
    assert (answer.status_code, answer.mimetype) == (405, "application/json")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert answer.json["errors"][0]["code"] == "method_not_allowed"


def test_oversized_responses_are_refused(make_app, people):
    client = make_app(RESPONSE_BYTES=1024 * 1024).test_client()
    give_session(client.application, client, people["ann"])
    for number in range(6):
        sent = {"title": f"P{number}", "body": "word " * 40_000, "published_at": PAST}
        assert client.post("posts", json=sent).status_code == 201
    key = client.post("api_keys", json={"name": "k", "scopes": ["content:read"]}).json["key"]
    answer = client.get(f"{CONTENT}/posts/?key={key}")
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (400, "too_costly")
    assert client.get(f"{CONTENT}/posts/?key={key}&fields=title").status_code == 200


def test_scripts_of_every_origin_may_read(ghost, client):
    answer = ghost("posts/")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Content-Version"] == "v6.0"
    assert "Set-Cookie" not in answer.headers
    headers = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "GET"}
    asked = client.options(f"{CONTENT}/posts/", headers=headers)
    assert asked.status_code == 204
    assert "Accept-Version" in asked.headers["Access-Control-Allow-Headers"]


def test_response_that_the_client_has_is_not_sent_again(ghost, client, content_key, content):
    headers = ghost("posts/").headers
    etag = headers["ETag"]
    assert headers["Cache-Control"] == "private, no-cache"  # a key may be revoked
    address = f"{CONTENT}/posts/?key={content_key}"
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 304


def test_api_is_read_only(client, content_key):
    for method in ("POST", "PUT", "DELETE"):
        answer = client.open(f"{CONTENT}/posts/?key={content_key}", method=method)
        assert answer.status_code in (403, 405)


def test_too_many_requests_are_refused_in_ghosts_shape(make_app, people):
    client = make_app(RATELIMIT_ENABLED=True, RATELIMIT_API="2/minute").test_client()
    answers = [client.get(f"{CONTENT}/posts/") for _ in range(3)]
    assert [one.status_code for one in answers] == [401, 401, 429]
    assert answers[2].json["errors"][0]["type"] == "TooManyRequestsError"
    assert answers[2].headers["Retry-After"]


def test_api_is_disabled_by_default(make_app, as_):
    client = make_app(COMPAT_GHOST=False).test_client()
    assert client.get(f"{CONTENT}/posts/?key={UNKNOWN}").status_code == 404
    assert "/ghost" not in as_(None).get("openapi.json").text


def test_list_of_any_length_takes_the_same_number_of_statements(ghost, make, people, statements):
    def sent(path, **more):
        ghost(path, **more)
        return len(statements(lambda: ghost(path, **more))[1])

    def write(number, author):
        more = {"body": "x", "author": people[author].id, "published_at": PAST}
        make(POSTS, title=f"P{number}", tags=[f"t{number}", "a"], **more)

    def all_lists():
        return (
            sent("posts/", include="authors,tags", limit="all"),
            sent("tags/", include="count.posts", limit="all"),
            sent("authors/", include="count.posts"),
        )

    write(0, "ann")
    few = all_lists()
    for number in range(1, 12):
        write(number, "abe" if number % 2 else "mod")
    assert all_lists() == few
    assert max(few) <= 7
