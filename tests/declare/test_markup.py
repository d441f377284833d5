"""Markdown is rendered before the database is locked, and once."""

from quire.actor import SYSTEM
from quire.declare import markup
from quire.declare.values import MARKDOWN_BYTES
from quire.records import POSTS
from quire.store.write import create, update


def test_once_and_outside_the_transaction(app, people, monkeypatch):
    seen, plain = [], markup.rendered

    def rendered(text):
        seen.append(text)
        return plain(text)

    monkeypatch.setattr(markup, "rendered", rendered)
    raw = {"title": "x", "body": "*one*", "author": people["ann"].id}
    with app.app_context():
        made = create(POSTS, SYSTEM, raw)
        assert made.state["body_html"] == "<p><em>one</em></p>\n"
        assert update(POSTS, SYSTEM, made.id, {"body": "two"}).state["body_html"] == "<p>two</p>\n"
        update(POSTS, SYSTEM, made.id, {"title": "y"})
    assert seen == ["*one*", "two"]


def test_what_is_no_body_is_left_to_the_parser():
    for body in (None, 5, ["x"], "x" * (MARKDOWN_BYTES + 1), "é" * MARKDOWN_BYTES, "\ud800"):
        assert markup.render_ahead(SYSTEM, None, {"body": body}) == {}
