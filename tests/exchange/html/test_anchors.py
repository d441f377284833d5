"""Links within imported texts lead to the same place as before."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from flask import Flask

from quire.declare.markdown import render_markdown
from quire.exchange.html.to_markdown import to_markdown
from quire.exchange.markdown import reader
from quire.exchange.wordpress import load
from tests.exchange.conftest import Rows
from tests.growth import grows_too_fast


def dead_links(markup: str) -> list[str]:
    """Return the targets of links within `markup` that are not the id of any element."""
    ids = {unescape(id) for id in re.findall(r' id="([^"]*)"', markup)}
    targets = (unquote(unescape(href)) for href in re.findall(r' href="#([^"]*)"', markup))
    return [target for target in targets if target and target not in ids]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<h2 id="what-is-new">What is new</h2>', "## What is new"),
        ('<h2 id="new">What is new</h2>', "## What is new {#new}"),
        ('<h2 id="_a_">What is new</h2>', '## <a id="_a_"></a>What is new'),
        ('<h2 id="use-x">Use {#x}</h2>', "## Use {#x} {#use-x}"),
        ('<p id="a">One</p>', '<a id="a"></a>One'),
        ("<ul><li id='a'>One<li>Two</ul>", '- <a id="a"></a>One\n- Two'),
        ("<blockquote id=a><p>One</p></blockquote>", '> <a id="a"></a>One'),
        ("<a name=a></a><p>One</p>", '<a id="a"></a>\n\nOne'),
        ("<a name=a href='/b'>One</a>", '<a id="a"></a>[One](/b)'),
        ("<a href='/b'><b id=c>One</b></a><a href='#c'>c</a>", '<a id="c"></a>[**One**](/b)[c](#c)'),
        ("<pre id=a>One</pre>", '<a id="a"></a>\n\n```\nOne\n```'),
        ("<table><tr id=a><th>One</th></tr></table>", '| <a id="a"></a>One |\n| --- |'),
        ("<b id=unused>One</b>", "**One**"),
        ("<div id='attachment_5'><p>One</p></div>", "One"),
        ("<div id='attachment_5'><p>One</p></div><a href='#attachment_5'>a</a>",
         '<a id="attachment_5"></a>One\n\n[a](#attachment_5)'),
    ],
)  # fmt: skip
def test_ids_become_markdown(html: str, expected: str) -> None:
    assert to_markdown(html)[0] == expected


@pytest.mark.parametrize("tag", ["h1", "h6", "p", "li", "dt", "dd", "td", "th", "caption", "blockquote",
    "figure", "figcaption", "pre", "code", "div", "section", "span", "b", "img", "hr", "br", "ul", "ol",
    "table", "tr", "details", "summary", "a", "sub", "abbr", "kbd", "time", "main", "header"])  # fmt: skip
@pytest.mark.parametrize("id", ["plain", 'q"><i>', "_ü|&{{a}}_", "comments"])
def test_linked_ids_of_all_elements_are_kept(tag: str, id: str) -> None:
    quoted = id.replace("&", "&amp;").replace('"', "&quot;")
    inner = f'<{tag} id="{quoted}" datetime="2020-01-01">words'
    before, after = {
        "li": ("<ul>", "</ul>"), "dt": ("<dl>", "</dl>"), "dd": ("<dl>", "</dl>"),
        "td": ("<table><tr>", "</table>"), "th": ("<table><tr>", "</table>"),
        "caption": ("<table>", "</caption><tr><td>a</td></tr></table>"),
        "tr": ("<table>", "</table>"), "summary": ("<details>", "</summary>a</details>"),
        "figcaption": ("<figure><img src='/a.png'>", "</figcaption></figure>"),
    }.get(tag, ("", f"</{tag}>"))  # fmt: skip
    child = {"tr": "<td>", "table": "<tr><td>", "ul": "<li>", "ol": "<li>"}.get(tag)
    if child:
        inner = inner.replace(">words", f">{child}words")
        inner = f'<{tag} id="{quoted}">{child}words'
    markup = render_markdown(
        to_markdown(f'<p><a href="#{quoted}">go</a></p>{before}{inner}{after}')[0]
    )
    assert 'href="#' in markup
    assert dead_links(markup) == []
    assert "<i>" not in markup


@pytest.mark.parametrize(
    "token",
    ["<p id=a>", "<a name=a>b</a>", "<div id=a>", "<b id=a>", "<a href=#a id=a>b</a>", "<h2 id=a>b</h2>",
     "<ul id=a>", "<table id=a>"],
)  # fmt: skip
def test_ids_take_linear_time(token: str) -> None:
    assert not grows_too_fast(to_markdown, token, 16 * 1024)


def test_folder_with_contents(site: Flask, rows: Rows, tmp_path: Path) -> None:
    text = (
        "- [New](#what-is-new)\n- [End](#fin)\n\n## What is new\n\nWords\n\n<h2 id='fin'>End</h2>\n"
    )
    (tmp_path / "2020-01-01-toc.md").write_text(f"---\ntitle: Long\n---\n{text}", encoding="utf-8")
    (tmp_path / "2020-01-02-page.html").write_text(
        "<title>Page</title><a href='#p'>p</a><a href='#n'>n</a><p id=p>x</p><a name=n></a><p>y</p>",
        encoding="utf-8",
    )
    assert reader.load(tmp_path).summary() == "2 created"
    markups = [row["body_html"] for row in rows("SELECT body_html FROM posts ORDER BY id")]
    assert [len(re.findall(' href="#', markup)) for markup in markups] == [2, 2]
    assert [dead_links(markup) for markup in markups] == [[], []]


def test_real_content_has_no_broken_anchors(site: Flask, real: Path, rows: Rows) -> None:
    reader.load(real / "jekyll-posts")
    load.load_wordpress(real / "wordpress" / "themeunittestdata.xml")
    texts = rows("SELECT slug, body_html FROM posts UNION ALL SELECT slug, body_html FROM pages")
    dead = {row["slug"]: dead_links(row["body_html"]) for row in texts}
    assert {slug: links for slug, links in dead.items() if links} == {}
