"""Rules declare how visibility follows from other records, so that the change feed can report it."""

import pytest
from sqlalchemy.sql import visitors
from sqlalchemy.sql.schema import Column

from quire.actor import Actor
from quire.declare.record import REGISTRY
from quire.store.events.viewers import RANKED_ROLES

VERSIONED = [one for one in REGISTRY.values() if one.is_versioned]


def foreign_tables(record, rule):
    """Return the tables of other types that a rule's conditions read."""
    answers = [rule(Actor(role, 1)) for role in RANKED_ROLES]
    columns = (
        element
        for answer in answers
        if not isinstance(answer, bool)
        for element in visitors.iterate(answer)
        if isinstance(element, Column)
    )
    return {one.table.name for one in columns} - {record.table.name}


@pytest.mark.parametrize("record", VERSIONED, ids=lambda record: record.path)
def test_rule_that_reads_other_types_declares_which_rows_follow(app, record):
    leaves = [one for one in record.access.read.walk() if not one.parts]
    for rule in leaves:
        if rule.reference is None and rule.shows is None:
            assert not foreign_tables(record, rule), rule.needs


def test_rules_with_references_and_with_shows_exist(app):
    rules = [rule for record in VERSIONED for rule in record.access.read.walk()]
    assert any(one.reference for one in rules) and any(one.shows for one in rules)
