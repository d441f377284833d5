"""Wrongly declared record types raise an error and are not registered."""

from dataclasses import replace

import pytest

from quire.declare.record import REGISTRY, check_registry, record_of
from quire.declare.rules import NOBODY
from quire.records import TAGS

NAME = TAGS.field("name")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"path": "tags"}, "tags: another record has this path"),
        ({"fields": (*TAGS.fields, NAME)}, "labels: a field is listed twice"),
        (
            {"fields": [one for one in TAGS.fields if one.name != "id"]},
            "the field id is not listed",
        ),
        ({"access": replace(TAGS.declared_access, read=NOBODY)}, "labels: nobody may read it"),
        ({"drafts": True}, "a draft needs a version it is based on, and a page to be seen on"),
        ({"title_field": "nam"}, "labels: nam is not a listed field"),
        ({"order": ("-nam",)}, "labels: nam is not a listed field"),
    ],
)
def test_declaration_errors_name_the_fault(changes, words):
    given = {"path": "labels", "access": TAGS.declared_access, "public_path": None, **changes}
    with pytest.raises(LookupError, match=words):
        replace(TAGS, **given)
    assert "labels" not in REGISTRY and REGISTRY["tags"] is TAGS


def test_every_reference_names_the_table_of_a_record_type():
    check_registry()
    assert record_of(TAGS.table.name) is TAGS
    with pytest.raises(LookupError, match="sqlite_master is the table of no record type"):
        record_of("sqlite_master")
