"""Caches in memory grow neither with the requests of strangers nor with the API keys of users."""

import random

from quire.actor import ANONYMOUS, Actor
from quire.declare import query_fields
from quire.declare.query import parse_query
from quire.declare.record import REGISTRY, VERBS
from quire.records import POSTS
from quire.records.api_keys import all_scopes
from quire.store import includes, read
from quire.store.changes import references, rows
from quire.store.db import db
from quire.store.lists import statements as select_statements

CACHES = (
    query_fields._queryable_fields, query_fields._filter_paths, select_statements.list_plan, select_statements.record_plan, includes._plan,
    references._by_id, references._by_id_or_name, rows._plan,
)  # fmt: skip


def sets_of_scopes(number, seed):
    """Different sets of scopes that API keys may have."""
    choice, every = random.Random(seed), all_scopes()
    return [frozenset(choice.sample(every, choice.randint(1, len(every)))) for _ in range(number)]


def use(actor):
    """Read all lists with their includes, and check every permission."""
    for record in REGISTRY.values():
        for verb in VERBS:
            record.allows(actor, verb)
        for action in record.actions:
            action.allow(actor)
        if record.access.read.scopes is not None and record.allows(actor, "read") is not False:
            include = ",".join(query_fields.relations(record, actor))
            read.list_records(record, actor, parse_query(record, actor, [("include", include)]))


def kept():
    """Return the number of cached rule answers and of cached statements."""
    rules = [getattr(record.access, verb) for record in REGISTRY.values() for verb in VERBS]
    rules += [action.allow for record in REGISTRY.values() for action in record.actions]
    return sum(len(rule._cached_answers) for rule in rules), sum(
        one.cache_info().currsize for one in CACHES
    )


def test_sets_of_scopes_share_cache_entries(app, people):
    root = people["root"].id
    with app.app_context():
        for scopes in (None, frozenset(), frozenset(all_scopes()), *sets_of_scopes(80, 1)):
            use(Actor("admin", root, scopes=scopes))
        before = kept()
        for scopes in sets_of_scopes(60, 2):
            use(Actor("admin", root, scopes=scopes))
        assert kept() == before


def test_api_key_reads_only_types_in_its_scopes(app, people):
    root = people["root"].id
    with app.app_context():
        for scopes in sets_of_scopes(40, 3):
            for record in REGISTRY.values():
                answer = record.allows(Actor("admin", root, scopes=scopes), "read")
                assert (answer is not False) == (f"{record.path}:read" in scopes)


def test_list_caches_are_bounded_for_any_filters(app):
    bounds = [one.cache_info().maxsize for one in CACHES]
    assert all(bound <= 1000 for bound in bounds)
    with app.app_context():
        for number in range(select_statements.MAX_PLANS + 20):
            sent = [("id__in", "1" + ",1" * (number % 90)), ("views__lt", "3")][: 1 + number // 90]
            read.list_records(POSTS, ANONYMOUS, parse_query(POSTS, ANONYMOUS, sent))
        assert select_statements.list_plan.cache_info().currsize <= select_statements.MAX_PLANS
        assert db.engine._compiled_cache.capacity <= 200
