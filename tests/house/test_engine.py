"""The engine names no record type: what is special about one stands in its declaration."""

import ast
from pathlib import Path

from quire.declare.record import REGISTRY

ROOT = Path(__file__).resolve().parents[2]
ENGINE = sorted(
    path
    for package in ("store", "declare")
    for path in (ROOT / "src" / "quire" / package).rglob("*.py")
)
NAMES = set(REGISTRY) | {record.table.name for record in REGISTRY.values()}
ALLOWED = {
    ("declare/references.py", "users"): "the store's own rows say who made a change",
    ("store/audit.py", "audit_events"): "the name of its own table, which a record type shows",
    ("store/revisions.py", "revisions"): "the name of its own table, which a record type shows",
    (
        "store/history/undoable_batches.py",
        "batches",
    ): "the name of its own table, which a record type shows",
    ("store/import_origins.py", "pages"): "a source of imports: the pages of editors",
}


def named(path):
    return path.relative_to(ROOT / "src" / "quire").as_posix()


def docstrings(tree):
    """Strings that are statements: they explain, and name nothing to the program."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def record_types_in(source):
    """The record types that strings of a program name, alone or before the word of an event."""
    tree = ast.parse(source)
    explained = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.partition(".")[0]
            if name in NAMES and id(node) not in explained:
                yield name


def test_names_no_record_type_but_where_there_is_a_reason():
    found = {
        (named(path), name)
        for path in ENGINE
        for name in record_types_in(path.read_text(encoding="utf-8"))
    }
    assert found == ALLOWED.keys()


def test_finds_names_however_they_are_used():
    assert list(record_types_in('REGISTRY["media"].table')) == ["media"]
    assert list(record_types_in('on_event("posts.updated")')) == ["posts"]
    assert list(record_types_in('"""Such as posts."""\nx = 1')) == []
