"""Imports by a string are imports: they obey the layers of setup.cfg, and close no circle."""

import ast
from configparser import ConfigParser
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


def module_of(path):
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


TREES = {
    module_of(path): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((SOURCE / "quire").rglob("*.py"))
}


def layers():
    """The number of the layer of each package, 0 for the lowest."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config["importlinter:contract:layers"]["layers"].split("\n")
    rows = [line.split("|") for line in reversed([line for line in lines if line.strip()])]
    return {name.strip(): number for number, row in enumerate(rows) for name in row}


def strings_in(tree):
    """Modules of ours that strings name, such as "quire.cli.users:users"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.partition(":")[0]
            if name in TREES and name.count("."):
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
                if full in TREES or node.module in TREES:
                    yield full if full in TREES else node.module


def _calls_import_module(node):
    called = getattr(getattr(node, "value", None), "func", None)
    return isinstance(node, ast.Attribute) and getattr(called, "id", "") == "import_module"


def attributes_of_strings(tree):
    """Pairs of a module that a string names and what is read from it: `import_module("a.b").c`."""
    for node in ast.walk(tree):
        if _calls_import_module(node):
            for argument in node.value.args:
                if isinstance(argument, ast.Constant) and argument.value in TREES:
                    yield argument.value, node.attr
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ":" in node.value:
            module, _, name = node.value.partition(":")
            if module in TREES and module.count("."):
                yield module, name


def test_what_is_read_from_a_string_exists():
    pairs = {pair for tree in TREES.values() for pair in attributes_of_strings(tree)}
    assert len(pairs) > 10
    assert [pair for pair in sorted(pairs) if not hasattr(import_module(pair[0]), pair[1])] == []


def test_strings_obey_the_layers():
    order = layers()
    for module, tree in TREES.items():
        for name in strings_in(tree):
            here, there = (one.split(".")[1] if "." in one else None for one in (module, name))
            assert here is None or here == there or order[here] > order[there], (module, name)


def test_no_circle_with_strings_counted():
    graph = {
        module: {*imports_in(tree), *strings_in(tree)} - {module} for module, tree in TREES.items()
    }
    assert list(TopologicalSorter(graph).static_order())


def test_every_package_is_in_the_contract():
    top = {name.split(".")[1] for name in TREES if "." in name}
    assert top == set(layers())
