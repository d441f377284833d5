"""A whole list in one file: its rows, its snapshot, its limits, and who may export it."""

import csv
import io
import json

import pytest

from quire.actor import Actor
from quire.api import export
from quire.declare.clock import now
from quire.declare.query import parse_query
from quire.errors import Unavailable
from quire.records import POSTS, TAGS
from quire.store import record_stream
from quire.store.db import transaction
from tests.api.test_access_order import code


def lines(client, place):
    answer = client.get(place)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def table(client, place):
    answer = client.get(place)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/csv"
    return list(csv.reader(io.StringIO(answer.text)))


@pytest.mark.parametrize("name", [None, "bob", "ann", "root"])
def test_lines_equal_the_rows_of_the_list(as_, content, name):
    client = as_(name)
    for query in (
        "",
        "&sort=title",
        "&status=published",
        "&tags.name=sea",
        "&fields=title,author.username",
    ):
        listed = client.get(f"posts?per_page=100{query}").json["posts"]
        assert lines(client, f"posts/export?format=ndjson{query}") == listed


def test_fields_of_relations_can_be_exported(as_, comment, content):
    comment("bob")
    query = "fields=title,author.avatar.url,comments.body&sort=title"
    listed = as_("root").get(f"posts?per_page=100&{query}").json["posts"]
    assert lines(as_("root"), f"posts/export?{query}") == listed


def test_trash_can_be_exported(as_, content):
    assert [one["id"] for one in lines(as_("root"), "posts/export?trashed=true")] == [
        content.trashed
    ]
    assert lines(as_(None), "posts/export?trashed=true") == []


def test_csv_has_a_header_and_references_by_name(as_, content):
    head, *rows = table(as_(None), "posts/export?format=csv&fields=title,author,author.username,tags,tags.slug,published&sort=title")  # fmt: skip
    assert head == ["id", "title", "author", "author.username", "tags", "tags.slug", "published"]
    assert rows[1] == [str(content.live), "Live", "ann", "ann", "sea, sky", '["sea","sky"]', "true"]
    whole = table(as_(None), "posts/export?format=csv")
    assert "seo_title" not in whole[0] and "sorted_at" not in whole[0]


def test_formulas_are_escaped(as_, make, people):
    make(POSTS, title="=1+1", body="@x", author=people["ann"].id, excerpt="-2")
    row = table(as_("ann"), "posts/export?format=csv&fields=title,body,excerpt,views")[1]
    assert row[1:] == ["'=1+1", "'@x", "'-2", "0"]


def test_export_is_an_uncached_attachment(as_, content):
    answer = as_(None).get("posts/export?format=csv")
    name = f"posts-{now():%Y-%m-%d}.csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert (answer.headers["X-Total-Count"], answer.headers["Cache-Control"]) == ("2", "no-store")
    assert as_(None).head("posts/export").status_code == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("format=xml", "invalid_parameter"),
        ("format=csv&format=csv", "invalid_parameter"),
        ("page=1", "unknown_parameter"),
        ("search=x", "unknown_parameter"),
        ("include=author", "unknown_parameter"),
        ("fields=author.email", "unknown_parameter"),
        ("colour=red", "unknown_parameter"),
        ("status=lost", "invalid_parameter"),
        ("sort=body", "unknown_parameter"),
    ],
)
def test_invalid_exports_are_refused(as_, query, expected):
    assert code(as_(None).get(f"posts/export?{query}")) == (400, expected)


def test_clients_without_read_access_get_nothing(as_):
    assert code(as_(None).get("audit_events/export")) == (401, "unauthorized")
    assert code(as_("bob").get("audit_events/export")) == (403, "forbidden")


def test_export_ends_at_its_limit(as_, content, monkeypatch):
    class Short(record_stream.RecordStream):
        def __init__(self, *given):
            super().__init__(*given, limit=2)

    monkeypatch.setattr(export, "RecordStream", Short)
    answer = as_("root").get("posts/export?sort=id")
    assert len(answer.text.splitlines()) == 2 and answer.headers["X-Total-Count"] == "5"


@pytest.fixture
def stream(app, monkeypatch):
    """`stream(batch=1)`: all tags, in batches, within an application context."""
    opened = []

    def begin(batch=1):
        monkeypatch.setattr(record_stream, "BATCH", batch)
        monkeypatch.setattr(record_stream, "LONG_BATCH", batch)
        query = parse_query(TAGS, Actor("admin", 1), [("sort", "name")])
        opened.append(record_stream.RecordStream(TAGS, Actor("admin", 1), query))
        return opened[-1]

    with app.app_context():
        yield begin
        for one in opened:
            one.close()


def names(batches):
    return [one["name"] for states in batches for one in states]


def test_export_is_a_snapshot_and_blocks_no_writer(app, make, stream):
    for name in ("a", "b", "c"):
        make(TAGS, name=name)
    begun = stream()
    with transaction() as connection:
        connection.execute(TAGS.table.delete().where(TAGS.table.c.name == "b"))
        connection.execute(TAGS.table.update().where(TAGS.table.c.name == "c").values(name="z"))
    make(TAGS, name="d")
    assert names(begun) == ["a", "b", "c"]
    assert sorted(names(stream())) == ["a", "d", "z"]


def test_number_of_simultaneous_exports_is_limited(make, stream, as_, monkeypatch):
    make(TAGS, name="a")
    monkeypatch.setattr(record_stream, "_streams", record_stream.BoundedSemaphore(1))
    begun = stream()
    with pytest.raises(Unavailable) as refused:
        stream()
    assert refused.value.headers == {"Retry-After": "10"}
    assert code(as_(None).get("tags/export")) == (503, "unavailable")
    begun.close()
    assert names(stream()) == ["a"]
    assert as_(None).get("tags/export").status_code == 200
    assert as_(None).get("tags/export").status_code == 200, "the place is free again"


def test_slow_client_is_disconnected(make, stream, monkeypatch):
    for name in ("a", "b", "c"):
        make(TAGS, name=name)
    monkeypatch.setattr(record_stream, "MAX_SECONDS", -1)
    with pytest.raises(Unavailable):
        names(stream())


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_long_texts_are_in_memory_only_once(as_, make, people, form):
    for number in range(8):
        make(POSTS, title=f"T{number}", body="x" * 100_000, author=people["ann"].id)
    answer = as_("root").get(f"posts/export?format={form}&fields=title,body", buffered=False)
    assert max(map(len, answer.response)) < 2 * 100_000


def test_batch_costs_one_statement(as_, make, people, statements):
    for number in range(5):
        make(POSTS, title=f"T{number}", body="x", author=people["ann"].id, tags=["sea"])
    client = as_("ann")
    client.get("posts?per_page=1")
    _, sent = statements(client.get, "posts/export?author.username=ann")
    selects = [one for one in sent if "FROM posts" in one]
    assert len(selects) == 3, "one counts, one finds the ids, one reads the rows"
