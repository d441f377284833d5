"""Scripts that stand in strings and in pages import what exists, as no checker looks into them."""

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
