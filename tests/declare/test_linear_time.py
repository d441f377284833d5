"""Processing a text takes time linear in its length, whatever it repeats."""

import pytest

from quire.declare.markdown import render_markdown, strip_tags
from quire.store.search.documents import document
from quire.store.search.snippets import plain_text
from quire.web.html import absolute, fit_into_page, reading_minutes, summary
from tests.growth import slow_tokens

pytestmark = pytest.mark.no_cover  # the same lines again and again


def all_paths(text):
    """Process a body in every way: page, feed, search document and mail."""
    markup = render_markdown(text)
    return (
        fit_into_page(markup), absolute(markup, "https://example.org/posts/a"), summary("", markup),
        strip_tags(markup), plain_text(text), reading_minutes(text),
        document("posts", 1, "", text, "sqlite"), document("posts", 1, "", text, "postgresql"),
    )  # fmt: skip


def test_texts_of_16_kb_take_linear_time():
    assert slow_tokens(all_paths, 16 * 1024) == []


@pytest.mark.slow
def test_texts_of_64_kb_take_linear_time():
    assert slow_tokens(all_paths, 64 * 1024) == []
