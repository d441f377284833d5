"""Lists are counted once for all users who see the same rows, and per user only if needed."""

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from quire.actor import ANONYMOUS, Actor
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.declare.record import REGISTRY
from quire.records import COMMENTS, POSTS
from quire.store.lists.plan import Walk
from quire.store.lists.statements import list_plan
from quire.store.read import list_records, query_params

DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}
ACTORS = [ANONYMOUS, *(Actor(role, 7) for role in ("member", "author", "moderator", "admin"))]


@pytest.mark.parametrize("actor", ACTORS, ids=lambda one: one.role)
@pytest.mark.parametrize("record", REGISTRY.values(), ids=lambda one: one.path)
def test_totals_are_cached_by_all_parameters_of_their_statements(app, record, actor):
    filters = (Condition("id", "eq", (1,)),)
    searches = {None, "word" if record.search_fields else None}
    for search in searches:
        for panel in (False, True):
            query = Query(conditions=filters, search=search, panel=panel)
            with app.app_context():
                given = query_params(actor, query).keys() - {"now"}
            for name, dialect in DIALECTS.items():
                plan = list_plan(
                    record, record.cache_key_actor(actor), query.shape, Walk.NONE, name
                )
                for statement in (plan.ids, plan.count):
                    asked = set(statement.compile(dialect=dialect).params) & given
                    assert asked <= plan.parameters


@pytest.mark.parametrize("record", [POSTS, COMMENTS], ids=lambda one: one.path)
def test_administrators_share_one_count(app, people, statements, record):
    def total(user_id):
        return list_records(record, Actor("admin", user_id), Query(panel=True)).total

    with app.app_context():
        total(people["root"].id)
        _, seen = statements(total, 99)
    assert not any("count(*)" in one for one in seen)


def test_sort_order_and_fields_share_one_count(app, people, statements):
    with app.app_context():
        list_records(POSTS, ANONYMOUS, Query())
        for more in ({"sort": ("-title",)}, {"fields": ("id", "title")}):
            _, seen = statements(list_records, POSTS, ANONYMOUS, Query(**more))
            assert seen and not any("count(*)" in one for one in seen)
