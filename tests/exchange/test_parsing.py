"""Dates, front matter, Liquid, names and paths: parsing before anything is stored."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from quire.exchange.dates import parse_datetime
from quire.exchange.liquid import plain
from quire.exchange.markdown.front_matter import is_truthy, split, word_list
from quire.exchange.markdown.paths import SourceFile, date_in, old_path, slug_in
from quire.exchange.model import Unusable
from quire.exchange.names import first_words, shorten, slug_from, username_from


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ("2013-05-06 02:12:52 +0200", "2013-05-06 00:12:52"),
        ("2013-05-06T02:12:52+02:00", "2013-05-06 00:12:52"),
        ("2013-05-06T02:12:52.123Z", "2013-05-06 02:12:52"),
        ("2013-05-06T02:12", "2013-05-06 02:12:00"),
        ("2023-01-29 18:30:22 2023 -0800", "2023-01-30 02:30:22"),
        ("2013-05-06", "2013-05-06 00:00:00"),
        ("2013-5-6", "2013-05-06 00:00:00"),
        ("2013/05/06 10:00", "2013-05-06 10:00:00"),
        ("06.05.2013", "2013-05-06 00:00:00"),
        ("05/06/2013", "2013-05-06 00:00:00"),
        ("13/06/2013", "2013-06-13 00:00:00"),
        ("May 6, 2013 10:30 PM", "2013-05-06 22:30:00"),
        ("6 May 2013", "2013-05-06 00:00:00"),
        ("Mon, 06 May 2013 02:12:52 +0200", "2013-05-06 00:12:52"),
        ("Mon May  6 02:12:52 2013", "2013-05-06 02:12:52"),
        ("2013-05-06 10:00:00 EST", "2013-05-06 15:00:00"),
        ("20130506T101112Z", "2013-05-06 10:11:12"),
        ("1367806372", "2013-05-06 02:12:52"),
        (1367806372, "2013-05-06 02:12:52"),
        (datetime.fromisoformat("2013-05-06T02:12:52+02:00"), "2013-05-06 00:12:52"),
        (datetime.fromisoformat("2013-05-06T02:12:52"), "2013-05-06 02:12:52"),
        ("2013-05", "2013-05-01 00:00:00"),
        ("1999", "1999-01-01 00:00:00"),
        ("1367806372000", "2013-05-06 02:12:52"),
        ("06-05-2013", "2013-05-06 00:00:00"),
        ("2013.05.06", "2013-05-06 00:00:00"),
        ("2013-05-06 24:00", "2013-05-07 00:00:00"),
        ("2013-05-06 23:59:60", "2013-05-07 00:00:00"),
        ("2013-05-06 10:00:00 Europe/Berlin", "2013-05-06 10:00:00"),
        ("2013-05-06 (draft)", "2013-05-06 00:00:00"),
        ("Published on May 6th, 2013 at 10:30 pm", "2013-05-06 22:30:00"),
    ],
)
def test_dates_are_read_in_every_usual_spelling(spelled: object, expected: str) -> None:
    assert parse_datetime(spelled) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "spelled",
    ["", "soon", "10:00", "2013-13-40", "2013-02-30", "0001-01-01 00:00 +10:00", "9" * 400,
     "0000-00-00 00:00:00", "2013-05-06 25:00", "2013-05-06 10:61", "7", "1.10", "3/4", "10 May", "May", "Monday", None, True, [], {}],
)  # fmt: skip
def test_texts_without_a_date(spelled: object) -> None:
    assert parse_datetime(spelled) is None


def test_yaml_values_stay_text() -> None:
    head, body = split("---\nTitle: 1.10\nversion: 007\ndraft: yes\nempty: ~\n---\n\nBody")
    assert head == {"title": "1.10", "version": "007", "draft": "yes", "empty": None}
    assert body == "Body"


def test_toml_and_json_front_matter_is_read() -> None:
    head, body = split("+++\ntitle = 'T'\n[taxonomies]\nTags = ['a']\n+++\nBody")
    assert (head["title"], head["taxonomies"], body) == ("T", {"tags": ["a"]}, "Body")
    assert split('{"title": "T"}\n\nBody') == ({"title": "T"}, "Body")


@pytest.mark.parametrize(
    "text", ["No head", "---\n\nA rule, and text", "{{ liquid }}", "# Title\n\n---\n"]
)
def test_text_without_front_matter_is_all_body(text: str) -> None:
    assert split(text) == ({}, text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\ntitle: a: b\n---\n", "front matter is not valid YAML (line 2)"),
        ("---\ntitle: x\nlist: [a\nb\n---\n", "front matter is not valid YAML"),
        ("+++\na = 1\nb = \n+++\n", "front matter is not valid TOML (line 3)"),
        ("---\ntitle: secret\ndraft: true\n\nText", "its front matter is not closed"),
        ("---\n- a\n- b\n---\n", "its front matter is not a mapping"),
        ("---\na: !!python/object/apply:os.getcwd []\n---\n", "front matter is not valid YAML"),
        ("---\nx: " + "y" * 70_000 + "\n---\n", "its front matter is larger than 64 KB"),
        (
            "---\na: " + "[" * 30_000 + "\n---\n",
            "its front matter is nested too deeply or has too many aliases",
        ),
        ("+++\na = " + "[" * 30_000 + "\n+++\n", "front matter is not valid TOML"),
    ],
    ids=lambda value: value[:40],
)
def test_malformed_front_matter_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(Unusable) as refused:
        split(text)
    assert refused.value.reason.startswith(reason)


def test_yaml_bombs_are_refused() -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(Unusable, match="too many aliases"):
        split("---\n" + "\n".join(lines) + "\n---\n")


def test_names_are_split_at_commas_or_else_at_spaces() -> None:
    assert word_list("one two") == ["one", "two"]
    assert word_list("big data, ai,") == ["big data", "ai"]
    assert word_list(["big data", 2013, None, " "]) == ["big data", "2013"]
    assert word_list({"a": "b"}) == []


@pytest.mark.parametrize(
    ("value", "yes"),
    [
        ("true", True),
        ("yes", True),
        (True, True),
        ("false", False),
        ("off", False),
        (0, False),
        ("", False),
        (None, False),
    ],
)
def test_flags_are_understood_in_every_spelling(value: object, yes: bool) -> None:
    assert is_truthy(value) is yes


def test_liquid_code_becomes_a_fence_and_raw_tags_are_removed() -> None:
    body = "a\n\n{% highlight ruby linenos %}\nputs {% raw %}{{ x }}{% endraw %}\n{% endhighlight %}\n\nb"
    assert plain(body) == "a\n\n```ruby\nputs {{ x }}\n```\n\nb"
    assert plain("{%- highlight -%}\n```\n{%- endhighlight -%}") == "````\n```\n````"
    assert (
        plain("- a\n\n  {% highlight c %}\nx\n  {% endhighlight %}") == "- a\n\n  ```c\n  x\n  ```"
    )


def test_code_that_shows_liquid_is_unchanged() -> None:
    shown = "```\n{% highlight ruby %}\nx\n{% endhighlight %}\n```\n"
    assert plain(shown) == shown
    assert (
        plain("~~~ liquid\n{% raw %}\n{{ x }}\n{% endraw %}\n~~~") == "~~~ liquid\n{{ x }}\n\n~~~"
    )


def test_other_liquid_and_raw_content_is_text() -> None:
    shown = "see `{% highlight %}` and {{ site.url }} {% link a.md %}"
    assert (
        plain("see `{% raw %}{% highlight %}{% endraw %}` and {{ site.url }} {% link a.md %}")
        == shown
    )
    many = "{% raw %}x{% endraw %}" * 1001
    assert plain(many) == many, "more tags than a person writes"
    assert plain("a {% highlight c %}\nx\n{% endhighlight %} b") == "a \n\n```c\nx\n```\n b"
    code = "```\n{% highlight c %}\n```\n"
    assert plain(code + "{% raw %}x{% endraw %}") == code + "x"
    assert plain("{% highlight ruby %} never closed") == "{% highlight ruby %} never closed"


@pytest.mark.parametrize(
    "piece", ["{% highlight x %}", "{% raw %}", "{%", "{% raw %}{% highlight x %}"]
)
def test_liquid_takes_linear_time(piece: str) -> None:
    started = time.process_time()
    plain(piece * 20_000)
    assert time.process_time() - started < 10  # a scan for each would take minutes


def test_long_titles_are_truncated_at_a_word() -> None:
    cut = shorten("word " * 60)
    assert len(cut) <= 200
    assert cut.endswith("word…")
    assert shorten("x" * 300) == "x" * 199 + "…"
    assert shorten("short") == "short"


def test_first_words_are_plain_text() -> None:
    assert (
        first_words("![alt](x.jpg) **Bold** [link](y) `code`\n\n> more")
        == "alt Bold link code more"
    )


@pytest.mark.parametrize(
    ("text", "slug"),
    [("jekyll-sass-3.0", "jekyll-sass-3.0"), ("Hello World!", "hello-world"), ("επίπεδο-2", "επίπεδο-2"),
     ("C'est l'été", "c-est-l-ete"), ("../../etc/passwd", "etc-passwd"), ("🎉", "")],
)  # fmt: skip
def test_slugs_are_kept_or_made_of_words(text: str, slug: str) -> None:
    assert slug_from(text) == slug


@pytest.mark.parametrize(
    ("name", "username"),
    [("mattr-", "mattr-"), ("DirtyF", "DirtyF"), ("Jane Doe", "jane-doe"), ("José Núñez", "jose-nunez"),
     ("oe", "oe-author"), ("李", "li-author"), ("🎉", "author"), ("x" * 30, "x" * 20),
     ("Maximilian Mustermann the Third", "maximilian-musterman")],
)  # fmt: skip
def test_usernames_have_3_to_20_allowed_characters(name: str, username: str) -> None:
    assert username_from(name) == username


@pytest.mark.parametrize(
    ("path", "slug", "paths", "expected"),
    [
        ("2013-05-06-first-steps.md", "", [], "first-steps"),
        ("2013-05-06-first-steps.md", "own", ["/a/b/"], "own"),
        ("a.md", "", ["/2013/05/06/first.html"], "first"),
        ("a.md", "", ["/:year/:title/"], "a"),
        ("a.md", "", ["pretty"], "a"),
        ("posts/bundle/index.md", "", [], "bundle"),
        ("posts/2013-05-06-bundle/index.md", "", [], "bundle"),
        ("posts/bundle/index.fr.md", "", [], "bundle.fr"),
        ("2013-05-06T10:00:00Z-x.md", "", [], "x"),
        ("2013-05-06_x.md", "", [], "x"),
        ("2013-05-06.md", "", [], "2013-05-06"),
    ],
)
def test_slug_is_found_where_generators_store_it(
    path: str, slug: str, paths: list[str], expected: str
) -> None:
    assert slug_in(SourceFile(Path("."), path), slug, paths) == expected


@pytest.mark.parametrize(
    ("path", "paths", "expected"),
    [
        ("a.md", ["2013/05/06/a"], "2013-05-06"),
        ("2014/07/08/a.md", ["/2013/05/06/a/"], "2013-05-06"),
        ("2014/07/08/2015-01-01-a.md", [], "2014-07-08"),
        ("2014/07/08/index.md", [], "2014-07-08"),
        ("2015-01-02-a.md", [], "2015-01-02"),
        ("2015-01-02-a/index.md", [], "2015-01-02"),
        ("2015-99-99-a.md", [], None),
        ("2013/05/a.md", [], None),
    ],
)
def test_date_is_found_in_path_folders_and_name(
    path: str, paths: list[str], expected: str | None
) -> None:
    found = date_in(SourceFile(Path("."), path), paths)
    assert (found.strftime("%Y-%m-%d") if found else None) == expected


@pytest.mark.parametrize(
    ("address", "path"),
    [("/old/", "/old/"), ("old/post", "/old/post"), ("https://x.example/a?b#c", "/a"), ("/", None),
     ("/:year/:title/", None), ("//greek/a", "/greek/a"), ("/%CE%B5", "/ε"), ("/a b", None), ("/" + "x" * 600, None)],
)  # fmt: skip
def test_old_urls_become_paths(address: str, path: str | None) -> None:
    assert old_path(address) == path
