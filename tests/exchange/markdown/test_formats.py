"""The files of a folder that become pages, and the messages about all others."""

import pytest

from tests.exchange.conftest import Folder, Rows

HTML = "---\ntitle: First\ndate: 2012-01-01\n---\n<p>Some <b>text</b></p>"


def lines(folder: Folder) -> list[str]:
    return [str(line) for line in folder.load().lines]


def test_every_file_is_imported_reported_or_counted(folder: Folder, rows: Rows) -> None:
    folder.add("_posts/2012-01-01-first.html", HTML)
    folder.add("_posts/2012-01-02-second.md", "---\ntitle: Second\n---\nText")
    folder.add(
        "docs/fourth.mdx", "---\ndate: 2012-01-01\n---\nimport A from './a'\n\nText {/* x */}"
    )
    folder.add("docs/tabs.mdx", "---\ntitle: T\n---\n<Tabs>\nText\n</Tabs>")
    folder.add("docs/value.mdx", "---\ntitle: T\n---\nThe price is {price}.")
    for suffix in ("textile", "adoc", "rst", "org", "md.erb", "njk", "docx"):
        folder.add(f"old/x.{suffix}", "Text")
    for name in ("style.css", "a.png", "b.png", "LICENSE"):
        folder.add(f"other/{name}", b"\x00")
    folder.add(".git/x.md", "Text")
    assert lines(folder) == [
        "created posts/first  (_posts/2012-01-01-first.html)",
        "created posts/second  (_posts/2012-01-02-second.md)",
        "created posts/fourth  (docs/fourth.mdx): 1 comment in the source removed",
        "skipped docs/tabs.mdx: is MDX with JavaScript expressions (<Tabs)",
        "skipped docs/value.mdx: is MDX with JavaScript expressions ({price})",
        "skipped old/x.adoc: is AsciiDoc, which is not supported",
        "skipped old/x.docx: is a word processor document, which is not supported",
        "skipped old/x.md.erb: is a template, which is not supported",
        "skipped old/x.njk: is a template, which is not supported",
        "skipped old/x.org: is Org, which is not supported",
        "skipped old/x.rst: is reStructuredText, which is not supported",
        "skipped old/x.textile: is Textile, which is not supported",
        "noted 4 files that are not pages: 2 png, 1 css, 1 no suffix",
    ]
    bodies = [row["body"] for row in rows("SELECT body FROM posts ORDER BY id")]
    assert bodies == ["Some **text**", "Text", "Text"]


def test_complete_html_document_has_a_title_and_a_body(folder: Folder, rows: Rows) -> None:
    document = "<!DOCTYPE html><html><head><title>A\n page</title><style>x</style></head>"
    folder.add("about.htm", document + "<body class='x'><p>Text</p></body></html>")
    folder.load()
    assert rows("SELECT title, slug, body FROM posts") == [
        {"title": "A page", "slug": "about", "body": "Text"}
    ]


def test_lower_case_letters_of_another_length_keep_the_title(folder: Folder, rows: Rows) -> None:
    folder.add("a.html", "<HEAD><TITLE>İstanbul</TITLE></HEAD><BODY><p>Türkiye</p></BODY>")
    folder.load()
    assert rows("SELECT title, body FROM posts") == [{"title": "İstanbul", "body": "Türkiye"}]


def test_character_references_in_a_title_are_decoded(folder: Folder, rows: Rows) -> None:
    folder.add("a.html", "<title>Bread &amp; Salt &#8211; 1 &lt; 2</title><p>Text</p>")
    folder.load()
    assert rows("SELECT title, body FROM posts")[0]["title"] == "Bread & Salt – 1 < 2"


def test_many_files_of_one_format_are_counted(folder: Folder) -> None:
    for number in range(202):
        folder.add(f"{number:03}.org", "Text")
    for number in range(201):
        folder.add(f"{number:03}.rst", "Text")
    assert lines(folder)[400:] == [
        "skipped 2 more files: are Org, which is not supported",
        "skipped 1 more file: is reStructuredText, which is not supported",
    ]


def test_highlighted_code_in_html_stays_code(folder: Folder, rows: Rows) -> None:
    code = "{% highlight ruby %}\nputs '<b>'\n{% endhighlight %}"
    folder.add("a.html", f"---\ntitle: T\n---\n<p>x</p>\n{code}")
    folder.load()
    assert rows("SELECT body FROM posts")[0]["body"] == "x\n\n```ruby\nputs '<b>'\n```"


@pytest.mark.parametrize(
    "text",
    ["{% for post in site.posts %}", "{{ content }}", "{{ .Title }}", '{{ define "main" }}'],
)
def test_templates_are_not_imported(text: str, folder: Folder, rows: Rows) -> None:
    folder.add("index.html", f"<div>{text}</div>")
    (line,) = lines(folder)
    assert line.startswith("skipped index.html: is a template, not a page")


@pytest.mark.parametrize(
    ("head", "paths"),
    [
        ("aliases: [old-name, ../archive/x, /abs/]", ["/posts/old-name", "/archive/x", "/abs/"]),
        ("aliases: [../../../x]", ["/x"]),
        ("url: /a/b/\naliases: [c]", ["/a/c", "/a/b/"]),
        ("redirect_from: [old/name]", ["/old/name"]),
        ("extra: {}\naliases: [old/name]", ["/old/name"]),
        ("aliases: ['{{ x }}', false]", []),
    ],
)
@pytest.mark.parametrize("name", ["content/posts/new.md", "posts/new/index.md"])
def test_aliases_are_relative_as_in_their_generator(
    name: str, head: str, paths: list[str], folder: Folder, rows: Rows
) -> None:
    folder.add(name, f"---\ntitle: New\ndate: 2020-01-01\n{head}\n---\nText")
    folder.load()
    assert [row["path"] for row in rows("SELECT path FROM redirects ORDER BY id")] == paths
