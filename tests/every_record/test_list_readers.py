"""Ways to read a list other than page by page, for every type with a list."""

import csv
import io
import json

import pytest

from quire.actor import Actor
from quire.declare.grouping import PERIODS, has_periods
from quire.declare.query_fields import filter_paths, operators_of, queryable_fields
from quire.declare.rules import NOBODY
from tests.every_record.bodies import a_row, roles, typical
from tests.extended_set import sampled

ADMIN = Actor("admin", 0)
VALUES = {"time": "2026-01-31", "day": "2026-01-31", "decimal": "1.5", "flag": True}


@pytest.fixture
def rows(listed, in_app_context):
    """Two rows of a type that users create."""
    return (
        [in_app_context(a_row, listed) for _ in range(2)]
        if listed.access.create is not NOBODY
        else []
    )


def value_for(field):
    """Return a JSON value that filters of a field accept."""
    if field.choices:
        return field.choices[0]
    return VALUES.get(field.kind.name, "x" if field.kind.is_text else 1)


@pytest.mark.of_every_run("comments", "media")
def test_every_filter_with_every_operator_in_a_query(listed, by_role, rows):
    admin = by_role("admin")
    for path, field in filter_paths(listed, ADMIN).items():
        for operator in operators_of(field):
            value = True if operator == "isnull" else value_for(field)
            value = [value] if operator in ("in", "nin") else value
            where = {"not": {"any": [{f"{path}__{operator}": value}]}}
            answer = admin.post(f"{listed.path}/query", json={"where": where})
            assert answer.status_code == 200, (path, operator, answer.text)


@pytest.mark.parametrize("role", sampled(roles(), ["anonymous", "author", "admin"]))
def test_query_is_refused_and_answered_like_the_list(listed, role, by_role, rows):
    client = by_role(role)
    found, by_address = client.post(f"{listed.path}/query", json={}), client.get(listed.path)
    assert found.status_code == by_address.status_code
    if found.status_code == 200:
        assert found.json == by_address.json
    else:
        assert found.json["message"] == by_address.json["message"]


@pytest.mark.parametrize("role", sampled(roles(), ["anonymous", "author", "admin"]))
def test_query_knows_no_hidden_fields(listed, role, by_role):
    if listed.access.read(typical(role)) is False:
        return
    hidden = listed.fields_by_name.keys() - queryable_fields(listed, typical(role)).keys()
    for name in hidden - {"id", "created_at"}:
        answer = by_role(role).post(f"{listed.path}/query", json={"where": {name: "x"}})
        assert answer.json["code"] == "unknown_parameter", (name, answer.text)


def test_counts_by_every_field_and_period(listed, by_role, rows):
    admin = by_role("admin")
    total = admin.get(listed.path).json["total"]
    for path, field in filter_paths(listed, ADMIN).items():
        periods = [f"{path}:{period}" for period in PERIODS] if has_periods(field) else []
        for by in (path, *periods):
            answer = admin.get(f"{listed.path}/counts?by={by}")
            assert answer.status_code == 200, (by, answer.text)
            assert answer.json["total"] == total
            numbers = [one["count"] for one in answer.json["counts"]]
            several = listed.field(path.partition(".")[0]).many is not None
            assert sum(numbers) == total or several, by


@pytest.mark.parametrize("role", sampled(roles(), ["anonymous", "author", "admin"]))
def test_counts_are_refused_and_answered_like_the_list(listed, role, by_role, rows):
    client = by_role(role)
    counts, by_page = client.get(f"{listed.path}/counts?by=id"), client.get(listed.path)
    assert counts.status_code == by_page.status_code
    if counts.status_code == 200:
        ids = {one["key"] for one in counts.json["counts"]}
        assert {row["id"] for row in by_page.json[listed.path]} <= ids
        assert counts.json["total"] == by_page.json["total"]


@pytest.mark.parametrize("role", sampled(roles(), ["anonymous", "author", "admin"]))
def test_export_is_refused_and_answered_like_the_list(listed, role, by_role, rows):
    client = by_role(role)
    names = ",".join(queryable_fields(listed, typical(role)))
    for query in ("sort=-id", f"sort=id&fields={names}"):
        by_page = client.get(f"{listed.path}?per_page=100&{query}")
        lines, table = (
            client.get(f"{listed.path}/export?format={form}&{query}") for form in ("ndjson", "csv")
        )
        assert lines.status_code == table.status_code == by_page.status_code
        if by_page.status_code == 200:
            shown = by_page.json[listed.path]
            assert [json.loads(line) for line in lines.text.splitlines()] == shown
            assert len(list(csv.reader(io.StringIO(table.text)))) == len(shown) + 1
