"""Names: one word has one meaning, so that a reader who searches for a name finds one thing."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("season", "consumer", "producer", "training", "kafka_local", "demo", "benchmarks")
INVENTED = {"place", "told", "heard", "kept", "following", "anew", "whole", "beside", "bear", "take", "look"}
"""Words that the field does not use for a thing: a next offset is no `following`, a commit's offset no `kept`."""


def trees(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield the modules of the folders, parsed."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if ".venv" not in str(path.relative_to(ROOT)):
                yield path.relative_to(ROOT), ast.parse(path.read_text("utf-8"))


def defined(node: ast.AST) -> str:
    """Return the name that a node defines, "" where it defines none."""
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.arg(arg=name):
            return name
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            return name
    return ""


def invented(tree: ast.AST) -> list[str]:
    """Return the names defined in a module that hold one of the invented words."""
    return sorted({name for node in ast.walk(tree) if INVENTED & set((name := defined(node)).lower().split("_"))})


def twins(modules: Iterator[tuple[Path, ast.Module]]) -> dict[str, list[str]]:
    """Return the names that several classes have, with their modules."""
    found = defaultdict(list)
    for path, tree in modules:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(str(path))
    return {name: paths for name, paths in found.items() if len(paths) > 1}


@pytest.mark.parametrize("package", PACKAGES)
def test_names_are_the_fields_words(package: str) -> None:
    """Functions, classes, arguments, fields and variables."""
    assert [(str(path), names) for path, tree in trees(package) if (names := invented(tree))] == []


def test_no_two_classes_have_one_name() -> None:
    """In the packages, the benchmarks and the tests together."""
    assert twins(trees(*PACKAGES, "tests")) == {}


def test_both_rules_see_what_breaks_them() -> None:
    """A field, an argument, a loop's variable, a method; and a class in two modules."""
    text = (
        "class A:\n    kept: int\n    def _take(self, the_place): self.told = 1\nfor look in (): whole_number = 2\n"
    )
    assert invented(ast.parse(text)) == ["_take", "kept", "look", "the_place", "told", "whole_number"]
    tree = ast.parse("class A: pass")
    assert twins(iter([(Path("one.py"), tree), (Path("two.py"), tree)])) == {"A": ["one.py", "two.py"]}
