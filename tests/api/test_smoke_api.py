"""The door is open."""


def test_create_and_read(as_):
    ann = as_("ann")
    made = ann.post("posts", json={"title": "One", "body": "Two", "published": True, "tags": ["x"]})
    assert made.status_code == 201, made.text
    assert as_(None).get("posts").json["total"] == 1
