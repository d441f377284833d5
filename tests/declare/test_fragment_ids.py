"""Links within a text have targets, and no text can take an id that a page needs."""

import re

import pytest
from bs4 import BeautifulSoup

from quire.declare.fragment_ids import PAGE_IDS, sections
from quire.declare.markdown import render_comment, render_footer, render_markdown


def ids(markup):
    return re.findall(r' id="([^"]*)"', markup)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("## What is *new*?", "what-is-new"),
        ("## C++ & co", "c--co"),
        ("## snake_case `code`", "snake_case-code"),
        ("## 日本語 हिन्दी Ünï", "日本語-हिन्दी-ünï"),
        ("## 🎉", "section"),
        ("Setext\n---", "setext"),
        ("## End {#custom}", "custom"),
        ("## End {: #custom .x }", "custom"),
        ("## End {.no-toc}", "end"),
        ("## End\n{: #custom}", "custom"),
        ('<h2 id="own">End</h2>', "own"),
        ("<h2 id='a b'>End</h2>", "a-b"),
        ('<h2 id="a&quot;>">End</h2>', "a&quot;&gt;"),
    ],
)
def test_headings_have_ids(text, wanted):
    markup = render_markdown(text)
    assert ids(markup) == [wanted] and "{" not in markup


def test_ids_are_unique_within_a_text():
    text = "## End\n\n## End\n\n## End 1\n\n<p id=end>x</p>\n"
    assert ids(render_markdown(text)) == ["end", "end-1", "end-1-1", "end-2"]


def test_name_attributes_of_anchors_become_ids():
    markup = render_markdown('<a name="old"></a> <a name="x" id="new">y</a>\n')
    assert ids(markup) == ["old", "new"] and "name=" not in markup


def test_footnotes_link_in_both_directions():
    markup = render_markdown("# One\n\nx[^a] y[^a]\n\n[^a]: note\n")
    targets = re.findall(r'href="#([^"]*)"', markup)
    assert len(targets) == 4 and set(targets) <= set(ids(markup))


@pytest.mark.parametrize("id", [*sorted(PAGE_IDS), "comment-5", "year-2026", "foot-a"])
def test_ids_reserved_for_pages_get_a_prefix(id):
    markup = render_markdown(f"<p id='{id}'>x</p>\n\n[link](#{id})\n")
    assert ids(markup) == [f"text-{id}"] and f'href="#text-{id}"' in markup


@pytest.mark.parametrize("rendering", [render_comment, render_footer])
def test_comments_and_footers_have_their_own_ids(rendering):
    markup = rendering(
        "# One\n\n[a](#one) x[^1] <a id=csp_nonce>q</a> [é](#%C3%A9)\n\n# é\n\n[^1]: n\n"
    )
    assert all(re.match("c-[0-9a-f]{8}-|foot-", id) for id in ids(markup))
    assert set(re.findall(r'href="#([^"]*)"', markup)) <= set(ids(markup))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "![a *b*](http://t.example/x.png 't')",
            '<a href="http://t.example/x.png" rel="{rel}">a b</a>',
        ),
        ("![](x.png)", '<a href="x.png" rel="{rel}">x.png</a>'),
        ("[![alt](x.png)](/y)", '<a href="/y" rel="{rel}">alt</a>'),
        ("<img src='/x' alt='&quot;><b>'>", '<a href="/x" rel="{rel}">&quot;&gt;&lt;b&gt;</a>'),
        ("a <img alt=x> b", "a x b"),
    ],
)
def test_images_in_comments_become_links(text, wanted):
    markup = render_comment(text)
    assert wanted.format(rel="ugc nofollow noopener noreferrer") in markup and "<img" not in markup


LOADING = [
    "![a](http://t/x)", "![a][1]\n\n[1]: http://t/x", "![a]\n\n[a]: http://t/x", "![a](<http://t/x>)", "![a](//t/x)",
    "![a](data:image/png;base64,AAAA)", "[![a](http://t/x)](http://t/y)", "| a |\n|-|\n| ![a](http://t/x) |",
    "[^1]\n\n[^1]: ![a](http://t/x)", "- [ ] ![a](http://t/x)", "<img src=http://t/x>", "<IMG/SRC=http://t/x>",
    "<img\nsrc=http://t/x>", "<img srcset='http://t/x 1x'>", "<image src=http://t/x>", "<img src='http://t/x' alt='>'>",
    "<picture><source srcset=http://t/x><img src=http://t/x></picture>", "<svg><image href=http://t/x /></svg>",
    "<svg><image xlink:href='http://t/x'/></svg>", "<svg><use href='http://t/x#a'/></svg>", "<feImage href=http://t/x>",
    "<input type=image src=http://t/x>", "<p style='background:url(http://t/x)'>x</p>", "<p style=\"x:\\75rl(//t)\">x</p>",
    "<style>p{background:url(http://t/x)}</style>", "<style>@import 'http://t/x';</style>",
    "<table background=http://t/x><tr><td background=http://t/x>x</td></tr></table>", "<body background=http://t/x>",
    "<video poster=http://t/x src=http://t/x></video>", "<audio src=http://t/x autoplay></audio>", "<track src=http://t/x>",
    "<iframe src=http://t/x></iframe>", "<iframe srcdoc='<img src=http://t/x>'></iframe>", "<object data=http://t/x></object>",
    "<embed src=http://t/x>", "<link rel=stylesheet href=http://t/x>", "<link rel=prefetch href=http://t/x>",
    "<meta http-equiv=refresh content='0;url=http://t/x'>", "<a href=/y ping=http://t/x>x</a>", "<base href=http://t/>",
    "<math><mglyph src=http://t/x></math>", "<noscript><img src=http://t/x></noscript>", "<script src=http://t/x></script>",
    "<template><img src=http://t/x></template>", "<details open><summary><img src=http://t/x></summary></details>",
    "<figure><img src=http://t/x></figure>", "<frame src=http://t/x>", "<bgsound src=http://t/x>", "<html manifest=//t/x>",
]  # fmt: skip
INERT = {
    "a", "p", "b", "del", "details", "summary", "figure", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td",
    "section", "sup", "input", "h6",
}  # fmt: skip
"""Elements that load nothing, and a checkbox."""


@pytest.mark.parametrize("text", LOADING)
def test_comments_never_load_external_resources(text):
    markup = BeautifulSoup(render_comment(text), "html.parser")
    for element in markup.find_all(True):
        assert element.name in INERT, element
        assert not {"src", "srcset", "style", "poster", "background", "data", "ping"} & set(
            element.attrs
        )
        assert element.name != "input" or element["type"] == "checkbox"


def test_cite_attributes_are_limited_to_web_urls():
    markup = render_markdown(
        "<q cite='javascript:alert(1)'>a</q> <q cite='https://a.example/'>b</q>"
    )
    assert re.findall("cite=[^>]*", markup) == ['cite="https://a.example/"']


def test_sections_have_their_depth_id_and_title():
    text = "## A *b*\n\n#### C & d\n\n## E\n\n#### ![](x.png)\n"
    found = [(one.depth, one.id, one.words) for one in sections(render_markdown(text))]
    assert found == [(0, "a-b", "A b"), (1, "c--d", "C & d"), (0, "e", "E")]
