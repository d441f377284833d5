"""Imports by a string are imports too: they obey the layers of setup.cfg, and form no cycle."""

import ast
from configparser import ConfigParser
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.no_cover  # it runs none of our code

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


def module_of(path):
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


FILES = {module_of(path): path for path in sorted((SOURCE / "quire").rglob("*.py"))}


class Names(NamedTuple):
    """The names of other modules that a module uses."""

    imports: set
    strings: set
    attributes: set


def layers():
    """Return the number of the layer of each package, 0 for the lowest."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config["importlinter:contract:layers"]["layers"].split("\n")
    rows = [line.split("|") for line in reversed([line for line in lines if line.strip()])]
    return {name.strip(): number for number, row in enumerate(rows) for name in row}


def strings_in(tree):
    """Yield our modules that are named in strings, such as "quire.cli.users:users"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.partition(":")[0]
            if name in FILES and name.count("."):
                yield name


def under_type_checking(tree):
    return {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }


def imports_in(tree):
    passed = under_type_checking(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in passed:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in FILES or node.module in FILES:
                    yield full if full in FILES else node.module


def _calls_import_module(node):
    called = getattr(getattr(node, "value", None), "func", None)
    return isinstance(node, ast.Attribute) and getattr(called, "id", "") == "import_module"


def attributes_of_strings(tree):
    """Yield pairs of a module named in a string and the attribute read from it: `import_module("a.b").c`."""
    for node in ast.walk(tree):
        if _calls_import_module(node):
            for argument in node.value.args:
                if isinstance(argument, ast.Constant) and argument.value in FILES:
                    yield argument.value, node.attr
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ":" in node.value:
            module, _, name = node.value.partition(":")
            if module in FILES and module.count("."):
                yield module, name


@pytest.fixture(scope="module")
def names():
    """The names that each module uses: in imports, in strings, and as attributes of those.

    The trees are read one after the other: all of them together take 100 MB.
    """
    found = {}
    for module, path in FILES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parts = (imports_in(tree), strings_in(tree), attributes_of_strings(tree))
        found[module] = Names(*map(set, parts))
    return found


def test_modules_named_in_strings_exist(names):
    pairs = {pair for one in names.values() for pair in one.attributes}
    assert len(pairs) > 10
    assert [pair for pair in sorted(pairs) if not hasattr(import_module(pair[0]), pair[1])] == []


def test_imports_by_string_obey_the_layers(names):
    order = layers()
    for module, one in names.items():
        for name in one.strings:
            here, there = (one.split(".")[1] if "." in one else None for one in (module, name))
            assert here is None or here == there or order[here] > order[there], (module, name)


def test_there_are_no_cycles_including_imports_by_string(names):
    graph = {module: (one.imports | one.strings) - {module} for module, one in names.items()}
    assert list(TopologicalSorter(graph).static_order())


def test_every_package_is_in_the_contract():
    top = {name.split(".")[1] for name in FILES if "." in name}
    assert top == set(layers())


def test_our_names_are_not_imported_under_aliases():
    others = [
        f"{name}:{node.lineno} {alias.name} as {alias.asname}"
        for name, path in FILES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("quire")
        for alias in node.names
        if alias.asname not in (None, alias.name)
    ]
    assert others == []


ONE_BY_ONE = {
    "quire.admin.setup",  # pages of the panel
    "quire.api.custom_resources",
    "quire.api.routes",
    "quire.cli.main",  # commands, each imported when it is used
    "quire.records",  # record types
    "quire.site.routes",
}
"""Tables that name each page, command or record type once; each of those stands in a file of its own."""
SHORT = 40


def test_short_module_has_more_than_one_user(names):
    users = {module: set() for module in FILES}
    for module, one in names.items():
        for name in (one.imports | one.strings) - {module}:
            users[name].add(module)
    short = [
        name
        for name, path in FILES.items()
        if path.name != "__init__.py" and path.read_text(encoding="utf-8").count("\n") < SHORT
    ]
    assert len(short) > 10
    assert [
        f"{name}: move it into {users[name]}"
        for name in short
        if len(users[name]) < 2 and not users[name] & ONE_BY_ONE
    ] == []
