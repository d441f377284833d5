"""Bodies adapted to their pages, summaries and dates."""

import pytest

from quire.declare.markdown import render_markdown
from quire.web.dates import day
from quire.web.html import fit_into_page, summary


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<h1>A</h1><h2>B</h2>", "<h2>A</h2><h3>B</h3>"),
        ("<h2>A</h2><h4>B</h4>", "<h2>A</h2><h3>B</h3>"),
        ('<h1 id="x">A</h1>', '<h2 id="x">A</h2>'),
        ("<p>plain</p>", "<p>plain</p>"),
        ("<pre><code>x</code></pre>", '<pre tabindex="0"><code>x</code></pre>'),
        ('<img src="a">', '<img loading="lazy" alt="" src="a">'),
        ('<img alt="b" src="a">', '<img loading="lazy" alt="b" src="a">'),
        (
            "<table><tr><td>x</td></tr></table>",
            '<div class="wide" role="region" aria-label="Table" tabindex="0">'
            "<table><tr><td>x</td></tr></table></div>",
        ),
        ("", ""),
    ],
)
def test_body_is_adapted_to_its_page(before, after):
    assert fit_into_page(before) == after


def test_headings_in_comments_are_moved_below_the_given_level():
    assert fit_into_page("<h1>A</h1><h6>B</h6>", 3) == "<h3>A</h3><h4>B</h4>"
    many = "".join(f"<h{i}>x</h{i}>" for i in range(1, 7))
    assert fit_into_page(many, 3).count("<h6>") == 3


@pytest.mark.parametrize(
    "text",
    [
        '<a title="<table onmouseover=alert(1)>" href="/">x</a>',
        '<a title="<pre>" href="/">x</a>',
        '<img alt="a <h1> b" src="/x">',
        "a &lt;table&gt; b <p title='<img src=x onerror=alert(1)>'>",
        "1 < 2 and <pre",
        '<a title=\'"<table>\' href="/">x</a>',
    ],
)
def test_markup_inside_attribute_values_is_not_changed(text):
    clean = render_markdown(text)
    fitted = str(fit_into_page(clean))
    assert "<div" not in fitted and "tabindex" not in fitted
    assert fitted.replace(' loading="lazy"', "") == clean


def test_hostile_markup_is_adapted_quickly():
    for piece in ("<", "<a ", '<a "', '<a title="', "<h1", "</"):
        fit_into_page(piece * 40_000)


def test_summary_is_plain_text_of_limited_length():
    assert summary("", "<p>Some <b>words</b> &amp; more.</p>") == "Some words & more."
    assert summary("Given.", "<p>x</p>") == "Given."
    long = summary("", "<p>" + "word, " * 500 + "</p>")
    assert len(long) <= 221 and long.endswith("word…")
    assert summary("x" * 500, "") == "x" * 220 + "…"


def test_dates_are_written_out():
    assert day("2026-01-02T10:00:00Z") == "2 January 2026"
    assert day("0900-12-31T00:00:00Z") == "31 December 900"
