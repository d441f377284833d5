"""Special properties of a record type are in its declaration: the engine names none, the interfaces distinguish
none."""

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

INTERFACES = sorted(
    path
    for package in ("api", "admin", "site")
    for path in (ROOT / "src" / "quire" / package).rglob("*.py")
)
TOLD_APART = {
    ("admin/actions.py", "media"): "the picker of the one library of files",
    ("admin/autocomplete.py", "media"): "the same",
    ("admin/form/fields.py", "media"): "the same",
    ("admin/form/page.py", "media"): "the same",
    ("admin/form/references.py", "media"): "the same",
    ("admin/format.py", "media"): "a thumbnail instead of a name",
    ("admin/list/cells.py", "media"): "the same",
    ("admin/form/buttons.py", "users"): "administrators view the site as somebody",
    ("api/compat/ghost_shapes.py", "tags"): "Ghost's shape of it, which another program defines",
    ("api/compat/ghost_shapes.py", "users"): "the same",
    (
        "api/openapi/paths.py",
        "sessions",
    ): "hand-written resources: all others of one's own are ended",
    ("api/openapi/paths.py", "users"): "hand-written resources: oneself, and registration",
}


def named(path):
    return path.relative_to(ROOT / "src" / "quire").as_posix()


def docstrings(tree):
    """Return the ids of strings that are statements: these explain code and refer to no record type."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def record_types_in(source):
    """Yield the record types that strings in a program name, alone or before the verb of an event."""
    tree = ast.parse(source)
    explained = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.partition(".")[0]
            if name in NAMES and id(node) not in explained:
                yield name


def test_engine_names_no_record_type_without_a_reason():
    found = {
        (named(path), name)
        for path in ENGINE
        for name in record_types_in(path.read_text(encoding="utf-8"))
    }
    assert found == ALLOWED.keys()


def test_names_are_found_however_they_are_used():
    assert list(record_types_in('REGISTRY["media"].table')) == ["media"]
    assert list(record_types_in('on_event("posts.updated")')) == ["posts"]
    assert list(record_types_in('"""Such as posts."""\nx = 1')) == []


def types_told_apart_in(source):
    """Yield the record types that an interface compares a record, its path or the target of a field with."""
    constants = {name.upper() for name in REGISTRY}
    for node in ast.walk(ast.parse(source)):
        sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
        named_by = any(
            isinstance(one, ast.Attribute) and one.attr in ("path", "target") for one in sides
        )
        for one in sides:
            if isinstance(one, ast.Name) and one.id in constants:
                yield one.id.lower()
            if named_by and isinstance(one, ast.Constant) and one.value in NAMES:
                yield one.value


def test_interfaces_do_not_distinguish_record_types_without_a_reason():
    found = {
        (named(path), name)
        for path in INTERFACES
        for name in types_told_apart_in(path.read_text(encoding="utf-8"))
    }
    assert found == TOLD_APART.keys()


def test_comparisons_with_record_types_are_found():
    assert list(types_told_apart_in("if record is BATCHES: pass")) == ["batches"]
    assert list(types_told_apart_in("record.path != 'media'")) == ["media"]
    assert list(types_told_apart_in("read.find(BATCHES); word == 'media'")) == []
