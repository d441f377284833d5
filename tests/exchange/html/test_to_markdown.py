"""HTML to Markdown, and back to the HTML that readers get."""

import time

import pytest

from quire.declare.markdown import render_markdown
from quire.exchange.html.to_markdown import plain_text, to_markdown
from quire.exchange.wordpress.autop import with_paragraphs
from quire.exchange.wordpress.shortcodes import Attachment, Attachments, expand


def converted(html: str) -> str:
    return to_markdown(html)[0]


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<h2>Head</h2><p>A <b>b</b> <em>c</em> <a href='https://x.example/'>d</a></p>",
         "## Head\n\nA **b** *c* [d](https://x.example/)"),
        ("<ul><li>a<ol start=3><li>b<li>c</ol><li>d</ul>", "- a\n  3. b\n  4. c\n- d"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ("<p>a<br>b</p>", "a  \nb"),
        ("<a href='https://x.example/'>https://x.example/</a>", "<https://x.example/>"),
        ("<a href='https://x.example/a_(b)'>c</a>", "[c](https://x.example/a_%28b%29)"),
        ("<a href='javascript:alert(1)'>c</a>", "c"),
        ("<script>alert(1)</script><style>p{}</style>a", "a"),
        ("<pre><code class='language-py'>a\n\n\nb```</code></pre>", "````py\na\n\n\nb```\n````"),
        ("<iframe src='https://video.example/1'></iframe>", "<https://video.example/1>"),
        ("<video><source src='https://v.example/a.mp4'></video>", "<https://v.example/a.mp4>"),
        ("<table><tr><th>a</th><th>b|c</th></tr><tr><td>1</td><td>2</td></tr></table>",
         "| a | b\\|c |\n| --- | --- |\n| 1 | 2 |"),
        ("<div><div><p>a</p></div></div><div></div><p>b</p>", "a\n\nb"),
        ("<ul class='wp-block-gallery'><li><img src='/a.png'></li><li><img src='/b.png'></li></ul>",
         "![](/a.png)![](/b.png)"),
        ("<iframe src='https://v.example/1' title='A film'></iframe>", "[A film](https://v.example/1)"),
        ("<video src='/film.mp4'></video><p>a</p>", "a"),
        ("<p>a <input name=b value=c>d</p>", "a d"),
        ("<p>a <code>b<br>c</code></p>", "a <code>b<br>c</code>"),
        ("<pre>a <kbd>b</kbd> <sub>c</sub> <a href='/d'>e</a></pre>", "```\na b c e\n```"),
        ("<code>a <sub>b</sub> <kbd>c</kbd> <a href='/d'>e</a> <code>f</code></code>", "`a b c e f`"),
        ("<h2> </h2><p>a<sub> </sub>b</p>", "a b"),
        ("<pre class='wp-block-verse'>a *b*\nc</pre>", "a \\*b\\*  \nc"),
    ],
)  # fmt: skip
def test_html_is_converted_to_markdown(html: str, markdown: str) -> None:
    assert converted(html) == markdown


@pytest.mark.parametrize(
    "html",
    [
        "<table><tbody><tr><td colspan=\"2\">a</td></tr><tr><td>b</td><td>c</td></tr></tbody></table>",
        "<figure><img src=\"https://x.example/a.jpg\" alt=\"A\"><figcaption>Words <b>bold</b></figcaption></figure>",
        "<dl><dt>Term</dt><dd>What <em>it</em> is</dd></dl>",
    ],
)  # fmt: skip
def test_html_without_a_markdown_form_stays_html(html: str) -> None:
    shown = render_markdown(converted(html))
    assert shown.replace("\n", "").replace("> <", "><") == html


def test_blank_lines_in_code_inside_html_are_kept() -> None:
    html = "<dl><dt>Term</dt><dd><pre>a\n\n  b</pre></dd></dl>"
    shown = render_markdown(converted(html))
    assert shown.replace("</dt>\n", "</dt>").strip() == html


@pytest.mark.parametrize(
    "tag", ["sub", "sup", "kbd", "u", "ins", "mark", "small", "cite", "q", "var"]
)
def test_inline_html_without_markup_is_kept(tag: str) -> None:
    assert (
        render_markdown(converted(f"a <{tag}>x*y*z</{tag}> b"))
        == f"<p>a <{tag}>x*y*z</{tag}> b</p>\n"
    )


@pytest.mark.parametrize(
    "words",
    ["1. no list", "- no list", "# no head", "&gt; no quote", "*no* _marks_ `here`", "5 &lt;div&gt; &amp;amp;",
     "[no](link)", "[no]: reference", "snake_case_word", "a | b", "~~no~~", "back\\slash \\*", "==="],
)  # fmt: skip
def test_ordinary_words_are_not_mistaken_for_markup(words: str) -> None:
    assert render_markdown(converted(f"<p>{words}</p>")) == f"<p>{words}</p>\n"


def test_markup_works_next_to_letters() -> None:
    for html in ("a<strong>(b)</strong>c", "<em>x</em><em>y</em>", "pre<em>fix</em>es"):
        assert render_markdown(converted(f"<p>{html}</p>")) == f"<p>{html}</p>\n"


@pytest.mark.parametrize("tag", ["b", "em", "del", "sub"])
@pytest.mark.parametrize("breaks", ["<br><br>", "<br> <br>", "<br>\n<br>"])
def test_markup_does_not_span_paragraphs(tag: str, breaks: str) -> None:
    body = converted(f"<p>a <{tag}>b{breaks}c</{tag}> d</p>")
    assert render_markdown(body) == "<p>a b</p>\n<p>c d</p>\n"


def test_deeply_nested_markup_keeps_its_words() -> None:
    body, warning = to_markdown("<div>" * 3000 + "words")
    assert body == "words"
    assert "too deeply" in warning


def test_titles_lose_their_markup() -> None:
    assert (
        plain_text("With <em>a</em> <b>Mark<sup>up</sup></b> &amp; 3 < 4\n5")
        == "With a Markup & 3 < 4 5"
    )


def test_paragraphs_of_the_classic_editor() -> None:
    html = with_paragraphs(
        "one\ntwo\r\n\r\nthree <b\nclass='x'>four</b>\n<ul>\n<li>a</li>\n</ul>\nfive\n<pre>x\n\n\ny</pre>"
    )
    assert converted(html) == "one  \ntwo\n\nthree **four**\n\n- a\n\nfive\n\n```\nx\n\n\ny\n```"


ALBUM = Attachments(
    {"1": Attachment("https://x.example/1.jpg", "One"), "2": Attachment("https://x.example/2.jpg")},
    {"7": ["2"]},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[caption id="a" width="3"]<img src="https://x.example/a.jpg" /> Words[/caption]', "<figcaption>Words</figcaption>"),
        ('[gallery ids="1,2,9"]', "![One](https://x.example/1.jpg)\n\n![](https://x.example/2.jpg)"),
        ("[gallery columns=2]", "![](https://x.example/2.jpg)"),
        ("[embed]https://v.example/1[/embed]", "<https://v.example/1>"),
        ('[video mp4="https://v.example/a.mp4"][/video]', "<https://v.example/a.mp4>"),
        ("https://v.example/?a=1&amp;b=2", "<https://v.example/?a=1&b=2>"),
        ('[sourcecode language="php"]a < b[/sourcecode]', "```php\na < b\n```"),
        ("[unknown a=1] and [[gallery]]", "[unknown a=1] and [gallery]"),
        ("<pre>[gallery ids=1]</pre>", "```\n[gallery ids=1]\n```"),
    ],
)  # fmt: skip
def test_shortcodes_are_converted(text: str, expected: str) -> None:
    assert expected in converted(with_paragraphs(expand(text, ALBUM, "7")))


@pytest.mark.parametrize(
    "piece", ["[caption]", "[embed]", "<pre>", "\n \t", "<", "[gallery", "<!--", "<p>", "[[", "<b>"]
)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    started = time.process_time()
    to_markdown(with_paragraphs(expand(piece * 10_000, Attachments(), "")))
    assert time.process_time() - started < 15
