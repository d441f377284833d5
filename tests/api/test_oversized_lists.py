"""Posts with more tags than are permitted now can still be saved."""

import pytest
from sqlalchemy import insert

from quire.records import POSTS, TAGS
from quire.store.db import db


@pytest.fixture
def ann(as_):
    return as_("ann")


@pytest.fixture
def path(app, make, content):
    """The address of a post that has 53 tags."""
    tags = [make(TAGS, name=f"tag {number}") for number in range(51)]
    pairs = [{"source_id": content.live, "target_id": tag} for tag in tags]
    with app.app_context():
        db.session.execute(insert(POSTS.field("tags").many.table), pairs)
        db.session.commit()
    return f"posts/{content.live}"


FORMS = {
    "as read": list,
    "ids": lambda tags: [tag["id"] for tag in tags],
    "names": lambda tags: [tag["name"] for tag in tags],
    "objects in another order": lambda tags: [{"id": tag["id"]} for tag in reversed(tags)],
}


@pytest.mark.parametrize("form", FORMS)
def test_unchanged_tags_are_accepted(ann, path, form):
    post = ann.get(path).json
    tags = FORMS[form](post["tags"])
    assert len(tags) == 53
    changed = ann.patch(path, json={"title": "Changed", "tags": tags})
    assert (changed.status_code, changed.json["title"]) == (200, "Changed")
    replaced = ann.put(path, json={"title": "Replaced", "body": "x", "tags": tags})
    assert replaced.status_code == 200
    assert replaced.json["tags"] == post["tags"]


def test_draft_keeps_unchanged_tags(ann, path):
    tags = ann.get(path).json["tags"]
    saved = ann.patch(f"{path}/draft", json={"title": "Later", "tags": tags})
    assert saved.status_code in (200, 201)
    assert ann.get(f"{path}/draft").json["tags"] == tags


def test_other_tags_are_refused(ann, path, make):
    ids = [tag["id"] for tag in ann.get(path).json["tags"]]
    for tags in ([*ids, make(TAGS, name="more")], [*ids[1:], make(TAGS, name="other")]):
        answer = ann.patch(path, json={"tags": tags})
        assert [(d["field"], d["code"]) for d in answer.json["details"]] == [("tags", "too_long")]
    assert ann.patch(path, json={"tags": ids[:50]}).status_code == 200
