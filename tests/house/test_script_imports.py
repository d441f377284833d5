"""Scripts that no checker examines, including those in strings and pages, import and use existing names."""

import ast
import re
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMPORT = re.compile(r"^[ \t]+from (quire[\w.]*) import ([\w, ]+)$", re.MULTILINE)
FOLDERS = ("src", "tests", "tools", "benchmarks", "docs")
WRITTEN_BY_THE_READER = {"quire.records.events"}


def scripts():
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".md"}:
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def imports():
    for name, text in scripts():
        for module, names in IMPORT.findall(text):
            for one in names.split(","):
                yield name, module, one.strip().partition(" ")[0]


def exists(module, name):
    try:
        return hasattr(import_module(module), name) or bool(import_module(f"{module}.{name}"))
    except ImportError:
        return module in WRITTEN_BY_THE_READER


def test_each_import_exists():
    every = sorted(set(imports()))
    assert len(every) > 5
    assert [one for one in every if not exists(*one[1:])] == []


def uses():
    """Yield the names that programs outside `src` use from our code: where, from which module, and the name."""
    for path in (
        one for folder in ("tools", "benchmarks") for one in (ROOT / folder).rglob("*.py")
    ):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = {}
        for node in (one for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)):
            if node.module and node.module.split(".")[0] == "quire":
                modules |= {
                    (one.asname or one.name): f"{node.module}.{one.name}" for one in node.names
                }
                yield from ((path.name, node.module, one.name) for one in node.names)
        for node in ast.walk(tree):
            name = getattr(node, "value", None)
            if (
                isinstance(node, ast.Attribute)
                and isinstance(name, ast.Name)
                and name.id in modules
            ):
                yield path.name, modules[name.id], node.attr


def is_there(module, name):
    """Return whether a module has the name; objects that are not modules are not checked."""
    try:
        import_module(module)
    except ModuleNotFoundError:
        return True
    return exists(module, name)


def test_programs_outside_the_package_use_existing_names():
    every = sorted(set(uses()))
    assert len(every) > 20
    assert [one for one in every if not is_there(*one[1:])] == []
