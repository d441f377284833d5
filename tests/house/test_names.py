"""Names of the code: what nothing names again is dead."""

import ast
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TEXTS = {".py", ".html", ".xml", ".txt", ".js", ".jinja"}
NAMED_ONCE = {"DECLARING_MODULES"}
"""It keeps imports that declare something."""


def words_of_the_program():
    """How often each word stands in the package and in what runs beside it."""
    folders = [ROOT / name for name in ("src", "tools", "benchmarks", "alembic_migrations")]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in TEXTS]
    words = Counter()
    for path in [*files, ROOT / "serve.py", ROOT / "manage.py"]:
        words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    return words


def names_of(tree):
    """What a module defines for others; what a decorator registers is used by its registry."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.decorator_list:
            yield node.name
        if isinstance(node, ast.Assign):
            yield from (one.id for one in node.targets if isinstance(one, ast.Name))


def test_nothing_is_defined_that_nobody_uses():
    words = words_of_the_program()
    unused = {
        name
        for path in SOURCES
        for name in names_of(ast.parse(path.read_text(encoding="utf-8")))
        if words[name] == 1 and not name.startswith("__")
    }
    assert unused == NAMED_ONCE
