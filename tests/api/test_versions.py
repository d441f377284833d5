"""Versions: ETags, conditional requests, conflicts, revisions."""

import pytest

from tests.api.test_access_order import code
from tests.users import signed_in


def test_etags_and_304(as_, content):
    for client, path in (
        (as_(None), f"posts/{content.live}"), (as_("ann"), f"posts/{content.draft}"), (as_(None), "posts"),
        (as_(None), "settings"), (as_("ann"), "users/me"), (as_(None), "openapi.json"), (as_(None), "docs"),
        (as_(None), "search?q=live"), (as_(None), "posts/by-slug/live"), (as_("ann"), f"posts/{content.live}/revisions"),
        (as_("ann"), f"posts/{content.live}/revisions/1"), (as_(None), f"posts/{content.live}/comments"),
    ):  # fmt: skip
        first = client.get(path)
        etag = first.headers["ETag"]
        for sent in (etag, f'"x", {etag}', "*", f"W/{etag.removeprefix('W/')}"):
            again = client.get(path, headers={"If-None-Match": sent})
            assert (again.status_code, again.data) == (304, b""), (path, sent)
            assert again.headers["ETag"] == etag
        assert client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200
        head = client.head(path)
        assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", etag)


MARKED = ["-gzip", "--gzip", ";gzip", "-br", ";br", "-zstd", "-deflate", "-x-gzip", ":zstd"]


@pytest.mark.parametrize("mark", MARKED)
def test_etags_of_compressing_proxies_are_understood(client, as_, content, mark):
    ann, path = as_("ann"), f"posts/{content.live}"
    for weak in ("", "W/"):
        etag = ann.get(path).headers["ETag"]
        seen = f'{weak}{etag[:-1]}{mark}"'
        assert ann.get(path, headers={"If-None-Match": f'"x", {seen}'}).status_code == 304
        changed = ann.patch(path, json={"excerpt": f"{weak}{mark}"}, headers={"If-Match": seen})
        assert changed.status_code == 200
        stale = ann.patch(path, json={"excerpt": "z"}, headers={"If-Match": seen})
        assert code(stale) == (412, "version_conflict")
    for page in ("/", "/feed.atom", "/api/v1/openapi.json"):
        etag = client.get(page).headers["ETag"]
        known = {"If-None-Match": f'W/{etag.removeprefix("W/")[:-1]}{mark}"'}
        assert client.get(page, headers=known).status_code == 304, page


def test_suffix_after_the_quotation_mark_is_understood(as_, content):
    ann, path = as_("ann"), f"posts/{content.live}"
    etag = ann.get(path).headers["ETag"]
    assert ann.get(path, headers={"If-None-Match": f"{etag}-gzip"}).status_code == 304


def test_each_representation_has_its_own_etag(as_, content):
    ann = as_("ann")
    tags = {
        ann.get(f"posts/{content.live}{q}").headers["ETag"]
        for q in ("", "?fields=title", "?include=author")
    }
    assert len(tags) == 3
    tags = {ann.get(f"posts{q}").headers["ETag"] for q in ("", "?page=2", "?fields=title")}
    assert len(tags) == 3


@pytest.mark.parametrize("query", ["", "?fields=title", "?include=author,comments", "?fields=id"])
def test_etag_of_any_representation_works_as_if_match(as_, content, query):
    ann = as_("ann")
    etag = ann.get(f"posts/{content.live}{query}").headers["ETag"]
    other = as_("mod").get(f"posts/{content.live}").headers["ETag"]
    for sent in (etag, other, "*", f'"v99-0", {etag}', f"W/{etag}"):
        answer = ann.patch(f"posts/{content.live}", json={}, headers={"If-Match": sent})
        assert answer.status_code == 200, sent
    changed = ann.patch(f"posts/{content.live}", json={"excerpt": "x"}, headers={"If-Match": etag})
    assert changed.json["version"] == 2
    assert changed.headers["ETag"] == ann.get(f"posts/{content.live}").headers["ETag"]
    stale = ann.patch(f"posts/{content.live}", json={"excerpt": "y"}, headers={"If-Match": etag})
    assert code(stale) == (412, "version_conflict")
    assert (stale.json["current_version"], stale.json["changed_fields"]) == (2, ["excerpt"])
    assert stale.json["details"] == []


def test_every_write_honours_if_match_and_version(as_, content, comment):
    ann = as_("ann")
    old = {"If-Match": ann.get(f"posts/{content.live}").headers["ETag"]}
    body = ann.patch(f"posts/{content.live}", json={"title": "Two", "body": "Three"}).json
    address = f"posts/{content.live}"
    for answer in (
        ann.put(address, json=body, headers=old), ann.patch(address, json={}, headers=old),
        ann.delete(address, headers=old), ann.post(f"{address}/unpublish", headers=old),
        ann.put(address, json=body | {"version": 1}), ann.patch(address, json={"version": 1}),
        ann.delete(address, json={"version": 1}), ann.post(f"{address}/unpublish", json={"version": 1}),
        ann.patch(address, json={"version": 3}), ann.patch(address, json={}, headers={"If-Match": '"nonsense"'}),
        ann.patch(address, json={}, headers={"If-Match": ""}),
    ):  # fmt: skip
        assert code(answer) == (412, "version_conflict"), answer.request
        assert answer.json["current_version"] == 2
    assert set(ann.delete(address, headers=old).json["changed_fields"]) == {"title", "body"}
    for bad in ("1", 1.5, None, True, []):
        answer = ann.patch(address, json={"version": bad})
        assert code(answer) == (422, "validation_failed"), bad
        assert answer.json["details"][0]["field"] == "version"
    assert ann.patch(address, json={"version": 2, "title": "Three"}).json["version"] == 3
    assert ann.delete(address, json={"version": 3}).status_code == 204
    problem = ann.patch(
        address, json={"version": 1}, headers={"Accept": "application/problem+json"}
    )
    assert (problem.status_code, problem.json["current_version"]) == (412, 4)


def test_if_match_for_a_missing_record(as_, content):
    for sent in ("*", '"v1-0"'):
        answer = as_("abe").patch(f"posts/{content.draft}", json={}, headers={"If-Match": sent})
        assert code(answer) == (404, "not_found")


def test_versions_are_required_if_configured(make_app, people):
    app = make_app(REQUIRE_IF_MATCH=True)
    ann, abe = (signed_in(app, people[name]) for name in ("ann", "abe"))
    made = ann.post("posts", json={"title": "x", "body": "y"})
    address = f"posts/{made.json['id']}"
    for answer in (
        ann.patch(address, json={}), ann.put(address, json={"title": "x", "body": "y"}), ann.delete(address),
        ann.post(f"{address}/publish"), ann.patch("users/me", json={}),
    ):  # fmt: skip
        assert code(answer) == (428, "precondition_required"), answer.request
    for answer in (abe.patch(address, json={}), abe.delete(address), ann.delete("posts/99")):
        assert code(answer) == (404, "not_found")
    assert ann.post(f"{address}/duplicate").status_code == 201
    assert ann.patch(address, json={"version": 1, "title": "z"}).json["version"] == 2
    assert ann.patch(address, json={}, headers={"If-Match": "*"}).status_code == 200
    assert ann.post(f"{address}/publish", json={"version": 2}).json["version"] == 3
    assert ann.delete(address, json={"version": 3}).status_code == 204


def test_version_is_required_only_after_the_access_check(make_app, people):
    app = make_app(REQUIRE_IF_MATCH=True)
    ann, abe, root = (signed_in(app, people[name]) for name in ("ann", "abe", "root"))
    made = ann.post("posts", json={"title": "x", "body": "y", "published": True})
    address = f"posts/{made.json['id']}"
    for answer in (
        abe.patch(address, json={}), abe.delete(address), abe.post(f"{address}/unpublish"),
    ):  # fmt: skip
        assert code(answer) == (403, "forbidden"), answer.request
    for path in ("settings", "appearance", f"users/{people['bob'].id}"):
        assert code(root.patch(path, json={})) == (428, "precondition_required"), path


def test_unversioned_changes(as_, content, comment):
    before = as_("ann").get(f"posts/{content.live}").json
    comment("bob")
    after = as_("ann").get(f"posts/{content.live}").json
    assert after["comment_count"] == before["comment_count"] + 1
    assert (after["version"], after["updated_at"]) == (before["version"], before["updated_at"])
    same = as_("ann").patch(f"posts/{content.live}", json={"title": "Live"}).json
    assert same["version"] == before["version"]


def test_revisions(as_, content):
    ann = as_("ann")
    address = f"posts/{content.live}"
    ann.patch(address, json={"title": "Two"})
    as_("mod").post(f"{address}/unpublish")
    listed = ann.get(f"{address}/revisions").json["revisions"]
    assert [(r["version"], r["action"]) for r in listed] == [
        (1, "create"),
        (2, "update"),
        (3, "unpublish"),
    ]
    assert set(listed[0]) == {
        "id", "type", "record_id", "version", "action", "actor", "created_at", "data",
    }  # fmt: skip
    assert [r["actor"] and r["actor"]["username"] for r in listed] == [None, "ann", "mod"]
    assert [r["data"]["title"] for r in listed] == ["Live", "Two", "Two"]
    assert listed[0]["data"]["published_at"]
    assert listed[2]["data"]["published_at"] is None
    assert ann.get(f"{address}/revisions/2").json == listed[1]
    assert code(ann.get(f"{address}/revisions/4")) == (404, "not_found")
    assert ann.get(f"{address}/revisions?version__gte=2&sort=-version").json["total"] == 2
    assert ann.get(f"{address}/revisions?type=pages").json["total"] == 0
    for name, status in (("abe", 404), ("bob", 403), (None, 401)):
        assert as_(name).get(f"{address}/revisions").status_code == status
        assert as_(name).get(f"{address}/revisions/1").status_code == status


def test_every_editable_type_has_revisions(as_, content, comment):
    root = as_("root")
    first = comment("bob")
    as_("bob").patch(f"comments/{first}", json={"body": "x"})
    root.patch("settings", json={"tagline": "x"})
    root.post("categories", json={"name": "x"})
    root.post("redirects", json={"path": "/a", "target": "/b"})
    for path in (
        "comments",
        "categories",
        "tags",
        "pages",
        "redirects",
        "settings",
        "users",
        "profiles",
    ):
        found = root.get(f"{path}/1/revisions")
        assert found.status_code == 200, path
        rows = found.json["revisions"]
        assert rows, path
        assert "password" not in rows[0]["data"]
        assert root.get(f"{path}/1/revisions/{rows[-1]['version']}").json == rows[-1]
    assert as_("bob").get(f"comments/{first}/revisions").json["total"] == 2
    assert code(as_("ann").get(f"comments/{first}/revisions")) == (403, "forbidden")
    me = as_("bob").account.id
    assert as_("bob").get(f"users/{me}/revisions").json["revisions"][0]["data"]["username"] == "bob"


def test_old_slug_redirects_to_the_new_one(as_, content):
    ann, nobody = as_("ann"), as_(None)
    ann.patch(f"posts/{content.live}", json={"slug": "second"})
    ann.patch(f"posts/{content.live}", json={"slug": "third"})
    for old in ("live", "second"):
        moved = nobody.get(f"posts/by-slug/{old}?fields=id")
        assert moved.status_code == 301
        assert moved.headers["Location"] == "/api/v1/posts/by-slug/third?fields=id"
        assert nobody.get(moved.headers["Location"]).json == {"id": content.live}
    long = nobody.get(f"posts/by-slug/second?fields=id&{'x' * 2000}=1")
    assert long.status_code == 400
    long = nobody.get(f"posts/by-slug/second?fields={'id,' * 700}id")
    assert long.status_code == 400 and "Use the new slug." in long.json["message"]
    ann.patch(f"posts/{content.live}", json={"slug": "grüße"})
    moved = nobody.get("posts/by-slug/live")
    assert nobody.get(moved.headers["Location"]).json["slug"] == "grüße"
    ann.patch(f"posts/{content.live}", json={"slug": "live"})
    assert nobody.get("posts/by-slug/live").status_code == 200
    ann.post(f"posts/{content.live}/unpublish")
    for gone in ("second", "live", "nowhere"):
        assert code(nobody.get(f"posts/by-slug/{gone}")) == (404, "not_found")
    assert nobody.get("pages/by-slug/about").json["id"] == content.page
    assert nobody.get("tags/by-slug/sea").json["name"] == "sea"
