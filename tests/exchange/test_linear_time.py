"""Each text in an imported file takes time in proportion to its length."""

import json

import pytest

from quire.exchange import liquid, names
from quire.exchange.dates import parse_datetime
from quire.exchange.html.to_markdown import plain_text, to_markdown
from quire.exchange.markdown import front_matter
from quire.exchange.markdown.paths import SourceFile, old_path
from quire.exchange.markdown.reader import PageReader
from quire.exchange.model import Unusable
from quire.exchange.wordpress.autop import with_paragraphs
from quire.exchange.wordpress.shortcodes import Attachments, expand
from tests.growth import grows_too_fast, slow_tokens

pytestmark = pytest.mark.no_cover  # the same lines again and again


def _classic(text):
    return with_paragraphs(expand(text, Attachments(), "1"))


def _caption(text):
    return expand(f"[caption]{text}[/caption]", Attachments(), "1")


def _names(text):
    return names.first_words(text), names.slug_from(text), names.username_from(text), old_path(text)


def _date(text):
    return parse_datetime(text)


@pytest.fixture
def read(tmp_path):
    """`read(content, name)`: the result of importing a file of a folder."""

    def entry(content, name="a.md"):
        place = SourceFile(tmp_path, name)
        (tmp_path / name).write_text(content, encoding="utf-8")
        try:
            return PageReader(tmp_path, [place]).entry(place)
        except Unusable:
            return None

    return entry


def _in_body(text):
    return "x\n" + text, "a.md"


def _in_html(text):
    return f"<p>x</p>\n{text}", "a.html"


def _in_head(text):
    said = ("title", "author", "slug", "path", "aliases", "tags", "date", "description", "weight")
    return json.dumps(dict.fromkeys(said, text)), "a.md"


PATHS = (front_matter.split, liquid.plain, plain_text, _classic, _caption, _names, _date)


@pytest.mark.parametrize("path", PATHS)
def test_texts_of_16_kb(path):
    assert slow_tokens(path, 16 * 1024) == []


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_texts_of_64_kb(path):
    assert slow_tokens(path, 64 * 1024) == []


@pytest.mark.slow
def test_html_of_32_kb():
    assert slow_tokens(to_markdown, 32 * 1024) == []


@pytest.mark.parametrize("path", [plain_text, to_markdown])
@pytest.mark.parametrize("token", ["<div>", "<ul><li>", "<pre>", "</a><b>"])
def test_elements_within_elements(path, token):
    assert not grows_too_fast(path, token, 128 * 1024)


def test_players_within_players():
    assert not grows_too_fast(to_markdown, "<iframe src=//a>", 16 * 1024)


@pytest.mark.parametrize("content", [_in_body, _in_head])
def test_files_of_16_kb(content, read):
    assert slow_tokens(lambda text: read(*content(text)), 16 * 1024) == []


@pytest.mark.slow
@pytest.mark.parametrize(("content", "size"), [(_in_body, 64), (_in_head, 64), (_in_html, 32)])
def test_larger_files(content, size, read):
    assert slow_tokens(lambda text: read(*content(text)), size * 1024) == []
