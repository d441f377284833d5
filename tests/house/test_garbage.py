"""The objects of a test are freed after it, if that is worth the time."""

import gc
import sys
import weakref
from functools import lru_cache
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, select

from quire.app import create_app
from tests import garbage


class Part:
    """An object of a reference cycle."""


def circle(size):
    """Return a weak reference to an unused cycle of that many objects."""
    first = last = Part()
    for _ in range(size):
        last.next = last = Part()
    last.next = first
    return weakref.ref(first)


@pytest.fixture(autouse=True)
def grown_from_here(monkeypatch):
    """Count growth from here on."""
    blocks = sys.getallocatedblocks()
    monkeypatch.setattr(garbage, "_blocks", {"all": blocks, "young": blocks})


def test_large_cycle_is_freed():
    made = circle(garbage.YOUNG_GROWTH)
    garbage.collect_if_grown()
    assert made() is None


def test_closed_application_is_freed():
    app = weakref.ref(create_app("testing"))
    app().test_client().get("/api/v1/posts")
    gc.collect()
    assert app() is None


def test_small_cycle_waits():
    made = circle(100)
    garbage.collect_if_grown()
    assert made() is not None


def test_used_objects_are_kept_and_counted_until_a_full_collection(monkeypatch):
    asked = []
    monkeypatch.setattr(garbage, "freeze", lambda: asked.append(1))
    kept = [Part() for _ in range(garbage.YOUNG_GROWTH)]
    garbage.collect_if_grown()
    assert asked == []
    kept += [Part() for _ in range(garbage.GROWTH)]
    garbage.collect_if_grown()
    assert asked == [1]


def test_cached_objects_are_freed_by_a_full_collection(monkeypatch):
    large, small, described = lru_cache(garbage.LARGE)(str), lru_cache(2)(str), lru_cache(1)(str)
    monkeypatch.setitem(sys.modules, "quire.x", SimpleNamespace(large=large, small=small))
    monkeypatch.setitem(sys.modules, garbage.DESCRIPTION + "x", SimpleNamespace(one=described))
    for cached in (large, small, described):
        cached(1)
    engine = create_engine("sqlite://")
    monkeypatch.setattr(garbage, "engines", {engine})
    with engine.connect() as connection:
        connection.execute(select(1))
    assert len(engine._compiled_cache) == 1
    garbage.freeze()
    assert [one.cache_info().currsize for one in (large, small, described)] == [0, 1, 0]
    assert len(engine._compiled_cache) == 0
    engine.dispose()
