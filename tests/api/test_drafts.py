"""Drafts next to live versions: started, changed, published, discarded."""

import pytest

from quire.actor import SYSTEM
from quire.records import POSTS, TAGS
from quire.store.db import read_connection
from quire.store.drafts.storage import Draft
from quire.store.write import create
from tests.users import signed_in


@pytest.fixture
def ann(as_):
    return as_("ann")


@pytest.fixture
def draft(content):
    """The address of the draft of Ann's live post."""
    return f"posts/{content.live}/draft"


def test_readers_see_the_live_version_until_the_draft_is_published(ann, client, content, draft):
    post = f"posts/{content.live}"
    made = ann.patch(draft, json={"title": "Better", "body": "*New*"})
    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/v1/{draft}"
    assert made.headers["ETag"].startswith('"d1-')
    assert (made.json["title"], made.json["body_html"]) == ("Better", "<p><em>New</em></p>\n")
    assert made.json["changed_fields"] == ["title", "body"]
    assert (made.json["base_version"], made.json["live_version"], made.json["version"]) == (1, 1, 1)
    assert made.json["updated_by"]["username"] == "ann"
    assert client.get(post).json["title"] == ann.get(post).json["title"] == "Live"
    assert ann.get(draft).json == made.json
    done = ann.post(f"{post}/publish")
    assert (done.status_code, done.json["title"], done.json["version"]) == (200, "Better", 2)
    assert client.get(post).json["body_html"] == "<p><em>New</em></p>\n"
    assert ann.get(draft).status_code == 404


def test_saving_a_draft_makes_no_revision_and_one_audit_event(ann, as_, content, draft):
    for number in range(4):
        assert ann.patch(draft, json={"body": f"Word {number}"}).status_code in (200, 201)
    assert ann.get(draft).json["version"] == 4
    assert ann.get(f"posts/{content.live}/revisions").json["total"] == 1
    seen = as_("root").get(f"audit_events?type=posts&record_id={content.live}&sort=id").json
    assert [e["action"] for e in seen["audit_events"]] == ["create", "draft"]
    assert ann.delete(draft).status_code == 204
    assert ann.delete(draft).status_code == 404
    seen = as_("root").get(f"audit_events?type=posts&record_id={content.live}&sort=-id").json
    assert seen["audit_events"][0]["action"] == "discard_draft"


def test_unfinished_values_are_saved_and_validated_when_published(ann, content, draft):
    sent = {"title": "", "slug": "Not a slug!", "excerpt": "x" * 3000}
    kept = ann.patch(draft, json=sent)
    assert kept.status_code == 201
    assert {name: kept.json[name] for name in sent} == sent
    refused = ann.post(f"posts/{content.live}/publish")
    assert refused.status_code == 422
    assert {one["field"] for one in refused.json["details"]} == set(sent)
    assert ann.get(draft).json["title"] == ""


@pytest.mark.parametrize(
    ("sent", "field", "code"),
    [
        ({"title": 5}, "title", "wrong_type"),
        ({"title": None}, "title", "wrong_type"),
        ({"colour": "red"}, "colour", "unknown"),
        ({"created_at": "2026-01-01T00:00:00Z"}, "created_at", "read_only"),
        ({"published_at": "soon"}, "published_at", "bad_format"),
        ({"tags": [True]}, "tags", "wrong_type"),
        ({"tags": [{"id": {}}]}, "tags", "wrong_type"),
        ({"author": "abe"}, "author", "read_only"),
        ({"published": False}, "published", "read_only"),
        ({"base_version": 9}, "base_version", "too_large"),
        ({"base_version": "1"}, "base_version", "wrong_type"),
        ({"version": "1"}, "version", "wrong_type"),
    ],
)
def test_invalid_values_are_refused_in_drafts_too(ann, draft, sent, field, code):
    refused = ann.patch(draft, json=sent)
    assert refused.status_code == 422
    assert [(one["field"], one["code"]) for one in refused.json["details"]] == [(field, code)]
    assert ann.get(draft).status_code == 404


def test_record_can_be_saved_to_its_draft_as_read(ann, content, draft, ticking):
    ann.patch(draft, json={"title": "Better"})
    for read in (f"posts/{content.live}", draft):
        put = ann.put(draft, json=ann.get(read).json | {"version": ann.get(draft).json["version"]})
        assert put.status_code == 200, put.json
    odd = {"updated_at": "2001-01-01T00:00:00Z"}
    assert ann.patch(draft, json=odd).json["details"][0]["code"] == "read_only"


def test_draft_contains_fields_shown_on_request(ann, client, content, draft):
    post = f"posts/{content.live}"
    ann.patch(post, json={"seo_title": "Live title"})
    made = ann.patch(draft, json={"seo_title": "New title", "title": "Better"})
    assert (made.json["seo_title"], made.json["seo_description"]) == ("New title", "")
    assert made.json["changed_fields"] == ["title", "seo_title"]
    assert client.get(f"{post}?fields=seo_title").json["seo_title"] == "Live title"
    put = ann.put(draft, json=ann.get(post).json | {"version": 1})
    assert (put.json["changed_fields"], put.json["seo_title"]) == (["seo_title"], "New title")
    ann.post(f"{post}/publish")
    assert client.get(f"{post}?fields=seo_title").json["seo_title"] == "New title"
    first, last = (ann.get(f"{post}/revisions/{n}").json["data"] for n in (1, 3))
    assert (first["seo_title"], last["seo_title"]) == ("", "New title")
    diff = ann.get(f"{post}/revisions/2/diff").json["fields"]
    assert [one["field"] for one in diff] == ["seo_title"]
    ann.post(f"{post}/revisions/2/restore")
    assert client.get(f"{post}?fields=seo_title").json["seo_title"] == "Live title"


def test_draft_can_be_changed_and_put_back_as_read(ann, content, draft):
    post = ann.get(f"posts/{content.live}").json
    first = ann.put(draft, json={**post, "title": "One"})
    assert (first.status_code, first.json["changed_fields"]) == (201, ["title"])
    second = ann.put(draft, json={**first.json, "excerpt": "Two"})
    assert second.status_code == 200
    assert (second.json["title"], second.json["excerpt"]) == ("One", "Two")
    third = ann.put(draft, json={"excerpt": "Three"})
    assert third.json["changed_fields"] == ["excerpt"]
    assert ann.patch(draft, json={"excerpt": ""}).json["changed_fields"] == []


def test_concurrent_changes_of_a_draft_do_not_overwrite_each_other(ann, as_, draft):
    first = ann.patch(draft, json={"title": "Anns"})
    moderator = as_("mod")
    theirs = moderator.patch(
        draft, json={"title": "Mods"}, headers={"If-Match": first.headers["ETag"]}
    )
    assert (theirs.status_code, theirs.json["updated_by"]["username"]) == (200, "mod")
    late = ann.patch(
        draft, json={"title": "Anns again"}, headers={"If-Match": first.headers["ETag"]}
    )
    assert late.status_code == 412
    assert (late.json["current_version"], late.json["changed_fields"]) == (2, ["title"])
    assert ann.delete(draft, json={"version": 1}).status_code == 412
    assert ann.patch(draft, json={"title": "Mods"}).json["version"] == 2


def test_draft_of_an_older_version_is_stale_until_its_base_is_renewed(ann, content, draft):
    post = f"posts/{content.live}"
    assert ann.put(draft, json={"title": "T"}, headers={"If-Match": "*"}).status_code == 412
    assert ann.put(draft, json={"title": "T", "version": 7}).status_code == 412
    ann.patch(draft, json={"title": "Draft"})
    ann.patch(post, json={"excerpt": "Meanwhile"})
    refused = ann.post(f"{post}/publish")
    assert refused.status_code == 412
    assert (refused.json["current_version"], refused.json["changed_fields"]) == (2, ["excerpt"])
    renewed = ann.patch(draft, json={"base_version": 2})
    assert (renewed.json["title"], renewed.json["excerpt"]) == ("Draft", "Meanwhile")
    assert ann.post(f"{post}/publish").json["title"] == "Draft"


def test_draft_is_visible_only_to_those_who_may_change_the_record(ann, as_, client, draft):
    ann.patch(draft, json={"title": "Secret"})
    for name, status in (("abe", 404), ("bob", 403), (None, 401)):
        for method in ("get", "put", "patch", "delete"):
            sent = {} if method == "get" else {"json": {"title": "x"} if method != "delete" else {}}
            assert getattr(as_(name), method)(draft, **sent).status_code == status, (name, method)
    assert as_("mod").get(draft).json["title"] == "Secret"


def test_references_and_new_tags(ann, app, content, draft, make):
    gone = make(TAGS, name="gone")
    got = ann.patch(draft, json={"tags": ["sea", gone, "brand new"], "category": "nowhere"})
    assert [tag["name"] for tag in got.json["tags"]] == ["sea", "gone", "brand new"]
    assert got.json["tags"][2]["id"] is None
    assert got.json["category"] == {"id": None, "name": None, "slug": "nowhere"}
    again = ann.put(draft, json=got.json)
    assert again.json["tags"] == got.json["tags"]
    refused = ann.post(f"posts/{content.live}/publish")
    assert [one["field"] for one in refused.json["details"]] == ["category"]
    assert ann.get("tags?name=brand+new").json["total"] == 0
    ann.patch(draft, json={"category": None})
    done = ann.post(f"posts/{content.live}/publish").json
    assert {tag["name"] for tag in done["tags"]} == {"sea", "gone", "brand new"}


def test_publishing_reports_a_taken_slug_on_its_field_and_keeps_the_draft(ann, content, draft):
    ann.patch(draft, json={"slug": "abes"})
    refused = ann.post(f"posts/{content.live}/publish")
    assert (refused.status_code, refused.json["details"][0]["field"]) == (409, "slug")
    ann.patch(draft, json={"slug": "alive"})
    assert ann.get("posts/by-slug/alive").status_code == 404
    assert ann.post(f"posts/{content.live}/publish").json["slug"] == "alive"
    assert ann.get("posts/by-slug/live").status_code == 301


def test_draft_can_be_scheduled(ann, content):
    post = f"posts/{content.draft}"
    ann.patch(f"{post}/draft", json={"published_at": "2099-05-01T10:00:00Z", "title": "In May"})
    done = ann.post(f"{post}/publish").json
    assert (done["status"], done["published_at"]) == ("scheduled", "2099-05-01T10:00:00Z")
    ann.patch(f"{post}/draft", json={"title": "In June", "published_at": None})
    done = ann.post(f"{post}/publish", json={"at": "2099-06-01T10:00:00Z"}).json
    assert (done["title"], done["published_at"]) == ("In June", "2099-06-01T10:00:00Z")


def test_draft_is_deleted_with_the_record_and_survives_the_trash(app, ann, as_, content, draft):
    post = f"posts/{content.live}"
    ann.patch(draft, json={"title": "Waiting"})
    copy = ann.post(f"{post}/duplicate").json
    assert copy["title"] == "Live"
    assert ann.get(f"posts/{copy['id']}/draft").status_code == 404
    ann.delete(post)
    assert ann.patch(draft, json={"title": "x"}).status_code == 409
    ann.post(f"{post}/restore")
    assert ann.get(draft).json["title"] == "Waiting"
    assert as_("mod").delete(f"{post}?permanent=true").status_code == 204
    with app.app_context(), read_connection() as connection:
        assert connection.execute(Draft.__table__.select()).all() == []


def test_pages_have_drafts_too(as_, client, content):
    moderator, page = as_("mod"), f"pages/{content.page}"
    assert moderator.put(f"{page}/draft", json={"body": "them"}).status_code == 201
    assert client.get(page).json["body"] == "us"
    assert moderator.post(f"{page}/publish").json["body"] == "them"


def test_version_is_required_for_changes_to_a_draft_if_configured(make_app, people):
    app = make_app(REQUIRE_IF_MATCH=True)
    ann = signed_in(app, people["ann"])
    with app.app_context():
        id = create(POSTS, SYSTEM, {"title": "T", "body": "b", "author": ann.account.id}).id
    draft = f"posts/{id}/draft"
    made = ann.patch(draft, json={"title": "First"})
    assert made.status_code == 201
    assert ann.patch(draft, json={"title": "Second"}).status_code == 428
    assert ann.delete(draft).status_code == 428
    assert ann.delete(draft, headers={"If-Match": made.headers["ETag"]}).status_code == 204


def if_match(*answers):
    return {"If-Match": ", ".join(one.headers["ETag"] for one in answers)}


def test_etag_of_a_record_is_not_that_of_its_draft(ann, content, draft):
    live = ann.get(f"posts/{content.live}")
    begun = ann.patch(draft, json={"title": "One"}, headers=if_match(live))
    assert begun.status_code == 201
    late = ann.patch(draft, json={"title": "Two"}, headers=if_match(live))
    assert (late.status_code, late.json["current_version"]) == (412, 1)
    assert ann.patch(draft, json={"title": "Two"}, headers=if_match(live, begun)).status_code == 200
    assert ann.patch(f"posts/{content.live}", json={}, headers=if_match(begun)).status_code == 412
    assert ann.delete(draft, headers=if_match(live)).status_code == 412
    assert ann.delete(draft, headers={"If-Match": "*"}).status_code == 204
    assert ann.put(draft, json={"title": "Three"}, headers=if_match(begun)).status_code == 412


def test_only_the_draft_that_was_seen_is_published(ann, as_, content, draft):
    post = f"posts/{content.live}"
    seen = ann.patch(draft, json={"title": "Mine"})
    unseen = as_("mod").patch(draft, json={"title": "Theirs", "excerpt": "Half"})
    late = ann.post(f"{post}/publish", headers=if_match(seen))
    assert late.status_code == 412
    assert (late.json["current_version"], late.json["changed_fields"]) == (2, ["title", "excerpt"])
    assert ann.get(post).json["title"] == "Live"
    assert ann.post(f"{post}/unpublish", headers=if_match(unseen)).status_code == 412
    assert ann.post(f"{post}/publish", headers=if_match(seen, unseen)).json["title"] == "Theirs"
    gone = ann.post(f"{post}/publish", headers=if_match(unseen))
    assert (gone.status_code, gone.json["current_version"]) == (412, 2)
    assert ann.post(f"{post}/publish", headers=if_match(ann.get(post))).status_code == 200


def test_version_in_the_body_of_publish_is_that_of_the_record(ann, content, draft):
    publish = f"posts/{content.live}/publish"
    ann.patch(draft, json={"title": "One"})
    seen = ann.patch(draft, json={"title": "Two"})
    for headers in ({}, if_match(seen)):
        late = ann.post(publish, json={"version": 2}, headers=headers)
        assert (late.status_code, late.json["current_version"]) == (412, 1)
    done = ann.post(publish, json={"version": 1}, headers=if_match(seen))
    assert (done.json["title"], done.json["version"]) == ("Two", 2)


def test_draft_has_the_same_limit_of_tags_as_a_post(as_, content):
    many = {"title": "x", "body": "y", "tags": [f"tag {number}" for number in range(51)]}
    for method in ("PUT", "PATCH"):
        answer = as_("ann").open(f"posts/{content.live}/draft", method=method, json=many)
        assert answer.status_code == 422
        assert [(one["field"], one["code"]) for one in answer.json["details"]] == [
            ("tags", "too_long")
        ]
    assert as_("ann").get("tags?name__startswith=tag").json["total"] == 0
