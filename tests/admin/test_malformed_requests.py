"""Values that no user would type, in every field of every form: refused in words, never a server error."""

import pytest

from quire.declare.record import REGISTRY
from tests.extended_set import sampled

pytestmark = pytest.mark.no_cover  # hundreds of forms, each of which other tests send too

ODD = [
    "", "-1", "9" * 25, "9" * 5000, "1e400", "NaN", "null", "\x00", "a\x00b", "\u202e<b>", "{{7*7}}", "%00",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30", "１２", "#" + "9" * 30, "#" + "9" * 5000,
    '"', '"' + "x" * 140_000, "{" * 2000, "[]", "é" * 300, "//x", "http://[", "javascript:alert(1)",
]  # fmt: skip


DEFAULT = [REGISTRY[path] for path in ("posts", "users", "media", "settings", "audit_events")]
EACH_TYPE = pytest.mark.parametrize(
    "record", sampled(REGISTRY.values(), DEFAULT), ids=lambda record: record.path
)


def refused_or_done(answer):
    return answer.status_code < 500 and "Traceback" not in answer.text


@EACH_TYPE
def test_unusual_values_in_forms(admin, record):
    names = [one.name for one in record.fields]
    for odd in ODD:
        typed = dict.fromkeys(names, odd) | {"version": ""}
        for path in ("new/", "edit/?id=1"):
            assert refused_or_done(admin.post(f"{record.path}/{path}", typed)), (path, odd[:50])


@EACH_TYPE
def test_unusual_values_in_urls(admin, record):
    for number, odd in enumerate(ODD):
        name = record.fields[number % len(record.fields)].name
        for query in (
            {name: odd[:2000]},
            {"search": odd[:2000]},
            {"sort": odd[:2000]},
            {"cursor": odd[:2000]},
        ):
            assert refused_or_done(admin.get(f"{record.path}/", query_string=query)), query
        query = {"field": name, "q": odd[:2000]}
        assert refused_or_done(admin.get(f"{record.path}/lookup", query_string=query)), query


@EACH_TYPE
def test_unusual_values_in_changes_from_lists(admin, record):
    for number, odd in enumerate(ODD):
        name = record.fields[number % len(record.fields)].name
        cell = {"id": "1", "field": name, "value": odd, "version": odd}
        assert refused_or_done(admin.post(f"{record.path}/ajax/update/", cell)), cell
        act = {"action": odd, "rowid": odd, "url": odd}
        assert refused_or_done(admin.post(f"{record.path}/action/", act)), act
        assert admin.post(f"{record.path}/delete/", {"id": f"x{odd}"}).status_code in (403, 404)
