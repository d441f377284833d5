"""Markdown is rendered once, before the transaction, and quickly for hostile texts too."""

import html
import random

import nh3
import pytest
from comrak import markdown_to_html

from quire.actor import SYSTEM
from quire.declare import markdown
from quire.declare.fragment_ids import with_ids
from quire.declare.value_kinds import MARKDOWN_BYTES
from quire.records import POSTS
from quire.store.write import create, update


def test_markdown_is_rendered_once_before_the_transaction(app, people, monkeypatch):
    seen, plain = [], markdown.render_markdown

    def rendered(text):
        seen.append(text)
        return plain(text)

    monkeypatch.setattr(markdown, "render_markdown", rendered)
    raw = {"title": "x", "body": "*one*", "author": people["ann"].id}
    with app.app_context():
        made = create(POSTS, SYSTEM, raw)
        assert made.state["body_html"] == "<p><em>one</em></p>\n"
        assert update(POSTS, SYSTEM, made.id, {"body": "two"}).state["body_html"] == "<p>two</p>\n"
        update(POSTS, SYSTEM, made.id, {"title": "y"})
    assert seen == ["*one*", "two"]


def test_invalid_bodies_are_left_to_validation():
    for body in (None, 5, ["x"], "x" * (MARKDOWN_BYTES + 1), "é" * MARKDOWN_BYTES, "\ud800"):
        assert markdown.render_before_transaction(SYSTEM, None, {"body": body}) == {}


def test_common_extensions_are_rendered():
    text = "x[^1] ~~y~~ ~z~\n\n| a |\n|--:|\n| 1 |\n\n```python\nx\n```\n\n[^1]: note\n"
    made = markdown.render_markdown(text)
    for part in (
        '<sup class="footnote-ref"><a href="#fn-1" id="fnref-1"',
        "<del>y</del> <del>z</del>",
        '<th align="right">a</th>',
        '<pre><code class="language-python">x\n</code></pre>',
        '<li id="fn-1">',
    ):
        assert part in made


def test_deep_nesting_is_shown_as_text():
    assert markdown.render_markdown("> " * 400 + "a").count("<blockquote>") == 400
    for text in (
        ">" * 100_000,
        "<div>" * 20_000,
        "<DIV>" * 20_000,
        "<b>" * 30_000,
        "<span>" * 8000 + "<p>a</p>",
        "</a><b>" * 8000,
    ):
        made = markdown.render_markdown(text)
        assert made.startswith("<pre>&") and html.unescape(made)[5:-7] == text


def test_many_siblings_are_not_deep_nesting():
    for text in (
        "<p>a\n" * 2000,
        "<P>a<BR>\n" * 2000,
        "<br>" * 2000,
        "<b>a</b>\n" * 2000,
        "a\n\n" * 2000,
    ):
        assert "<pre>" not in markdown.render_markdown(text)


def test_exploding_footnotes_are_shown_as_text():
    assert "footnotes" in markdown.render_markdown("[^a]: b\n" + "[^a] " * 100)
    assert markdown.render_markdown("[^a]: b\n[^a]" * 8000).startswith("<pre>[^a]")


@pytest.mark.parametrize(
    "text",
    [
        "a & b &amp; &lt; &amp;lt; &&& &#38; &AMP;",
        "[x](https://a.example/?b=1&c=2) ![y](&amp;)",
        "<b title='&amp;&quot;'>x &amp &amp;amp;</b>",
        "[x](java&amp;script:alert(1)) [y](javascript&colon;alert(1)) [z](&amp;javascript:x)",
        "`&amp;` <!-- &amp; --> <textarea>&amp;</textarea>",
    ],
)
def test_ampersands_are_rendered_as_by_the_cleaner_alone(text):
    assert markdown.render_markdown(text) == cleaned(text)


def cleaned(text):
    return nh3.Cleaner(
        tags=markdown.TAGS, attributes=markdown.ATTRIBUTES, url_schemes=markdown.SCHEMES,
        link_rel="ugc nofollow noopener noreferrer",
    ).clean(markdown_to_html(text, markdown.EXTENSIONS, None, markdown.OPTIONS))  # fmt: skip


PARTS = (
    *("word ", "*a* ", "**b** ", "***c***", "_d_", "~~e~~", "~f~", "`g`", "``h ` i``", "\\*", "*", "_"),
    *('"q" ', "'q' ", "a > b ", "& ", "&amp; ", "&quot;", "&#0; ", "&nbsp;", "&lt;p&gt;", "\0", "\xa0", "é ", "\u2028"),
    *("\n", "\n\n", "\r\n", "\r", "  \n", "\n> ", "\n- ", "\n  - ", "\n1. ", "\n7. ", "\n    ", "\t", "\n---\n", "\n```\n"),
    *("\n~~~x\n", "[x](/y)", "![x](/y)", "https://a.example ", "\n| a | b |\n|---|:-:|\n| c | d |\n", "[^1]", "\n[^1]: n\n"),
)  # fmt: skip


def test_rendering_without_raw_html_equals_the_cleaner_result():
    chance = random.Random(1)
    for _ in range(5000):
        text = "".join(chance.choices(PARTS, k=chance.randrange(1, 12)))
        assert markdown.render_markdown(text) == with_ids(cleaned(text))


@pytest.mark.parametrize("text", ["</p></ul>", "a <b", "<p>a", "<script>alert(1)</script>"])
def test_raw_html_tags_are_always_cleaned(text):
    assert markdown.render_markdown(text) == cleaned(text)


def test_ampersand_placeholder_in_a_text_is_dropped():
    assert markdown.render_markdown("no \ufdd0 character") == "<p>no  character</p>\n"
