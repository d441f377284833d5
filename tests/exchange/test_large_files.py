"""Exports that are too large in any part are refused while they are read."""

import subprocess
import sys
import textwrap
from collections.abc import Iterable
from itertools import repeat
from pathlib import Path

import pytest

from quire.exchange.ghost import tables
from quire.exchange.ghost.tables import read_rows
from quire.exchange.model import Unusable
from quire.exchange.wordpress import parser
from quire.exchange.wordpress.parser import read_nodes
from tests.exchange.conftest import HEAD

GHOST = '{"db": [{"data": {"posts": [%s]}}]}'
XML = HEAD.replace("{v}", "1.2") + "<item>%s</item></channel></rss>"
MEGABYTE = "x" * 1_000_000


def refusal(read, template: str, parts: Iterable[str], path: Path) -> str:
    """Return the reason why `read` refuses a file of up to 25 MB, which is never in memory as a whole."""
    start, end = template.split("%s")
    file = path / "export"
    with file.open("w", encoding="utf-8") as text:
        text.writelines((start, *parts, end))
    try:
        list(read(file))
    except Unusable as error:  # `pytest.raises` would keep the frames, and with them what was read
        return error.reason
    pytest.fail("It was not refused.")


@pytest.mark.parametrize(
    ("template", "make_parts", "words"),
    [
        (GHOST, lambda: ['{"html": "', *repeat(MEGABYTE, 20), '"}'], "a value of more than 16 MB"),
        (
            GHOST,
            lambda: ["{", ",".join(f'"a{n}": 1' for n in range(30_000)), "}"],
            "too many values",
        ),
        (GHOST, lambda: ['{"x":' + "[" * 5_000], "nested too deeply"),
        (GHOST + "x", lambda: ["{}"], "is not valid JSON"),
        ("[%s", lambda: repeat("1," * 100_000, 30), "is not valid JSON"),
    ],
)
def test_json_is_read_within_bounds(template, make_parts, words, tmp_path):
    assert words in refusal(read_rows, template, make_parts(), tmp_path)


def test_rows_are_read_regardless_of_their_surroundings(tmp_path):
    file = tmp_path / "export"
    data = '\ufeff{"db": [{"meta": {"x": [{}]}, "data": {"posts": [{"id": 1, "a": {"b": [2]}}, 5], "tags": {}}}]}'
    file.write_bytes(data.encode())
    assert list(read_rows(file)) == [("posts", None), ("posts", {"id": 1, "a": {"b": [2]}})]


@pytest.mark.parametrize(
    ("make_parts", "words"),
    [
        (lambda: ["<title>", *repeat(MEGABYTE, 6), "</title>"], "more than 5 MB"),
        (lambda: ['<title x="', *repeat(MEGABYTE, 6), '"/>'], "more than 5 MB"),
        (lambda: repeat("<a/>" * 10_000, 25), "an item that is too large"),
        (lambda: repeat(f"<a>{MEGABYTE}</a>", 25), "an item that is too large"),
        (lambda: (f"<n{n}/>" for n in range(11_000)), "too many different names"),
        (lambda: (f"<a n{n}=''/>" for n in range(11_000)), "too many different names"),
        (lambda: (f"<a xmlns:n{n}='u'/>" for n in range(11_000)), "too many different names"),
    ],
)
def test_xml_is_read_within_bounds(make_parts, words, tmp_path):
    assert words in refusal(read_nodes, XML, make_parts(), tmp_path)


def test_many_items_of_usual_size_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(parser, "MAX_ELEMENTS", 50)
    monkeypatch.setattr(parser, "LARGEST_ITEM", 1_000_000)
    monkeypatch.setattr(parser, "LARGEST_TEXT", 500_000)
    monkeypatch.setattr(tables, "LARGEST_VALUE", 500_000)
    monkeypatch.setattr(tables, "MAX_PARTS", 50)
    item = "<title>x</title>" * 9 + "<content>" + "x" * 60_000 + "</content>"
    (tmp_path / "xml").write_text(XML % "</item><item>".join([item] * 60), encoding="utf-8")
    assert len([node for node in read_nodes(tmp_path / "xml") if node.name == "item"]) == 60
    row = '{"html": "' + "x" * 60_000 + '"}'
    (tmp_path / "json").write_text(GHOST % ",".join([row] * 60), encoding="utf-8")
    assert len(list(read_rows(tmp_path / "json"))) == 61


MEASURE = """
    import resource, sys
    from pathlib import Path
    from quire.exchange.ghost.tables import read_rows
    from quire.exchange.model import Unusable
    from quire.exchange.wordpress.parser import read_nodes
    read = {"json": read_rows, "xml": read_nodes}[sys.argv[2]]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        for _ in read(Path(sys.argv[1])):
            pass
    except Unusable as error:
        print(error.reason)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="asks the system by POSIX")
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("json", lambda: GHOST % ",".join(['{"html": "' + "x" * 100_000 + '"}'] * 3000) + "x"),
        ("json", lambda: GHOST % ('{"html": "' + "x" * 200_000_000)),
        ("json", lambda: GHOST % ('{"html": [' + "{}," * 20_000_000)),
        ("xml", lambda: XML % ("<a/>" * 20_000_000)),
        ("xml", lambda: XML % ("<a " + " ".join(f'a{n}=""' for n in range(3_000_000)) + "/>")),
    ],
)
def test_memory_stays_small(kind, data, tmp_path):
    file = tmp_path / "export"
    file.write_text(data(), encoding="utf-8")
    command = [sys.executable, "-c", textwrap.dedent(MEASURE), str(file), kind]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) < 100, done.stdout
