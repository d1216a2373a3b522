"""Everything public says what it is: a docstring on each module, class, function and property."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import tinyml

PACKAGE = Path(tinyml.__file__).parent
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_DECORATIONS = {"overload", "setter"}  # what they decorate is described elsewhere


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Yield the qualified name of everything public in a module that has no docstring."""
    if ast.get_docstring(tree) is None:
        yield "the module"
    yield from _inside(tree.body, "")


def _inside(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        decorations = {ast.unparse(each).rpartition(".")[2] for each in node.decorator_list}
        if node.name.startswith("_") or decorations & _DECORATIONS:
            continue
        if ast.get_docstring(node) is None:
            yield f"{prefix}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _inside(node.body, f"{prefix}{node.name}.")


def test_everything_public_has_a_docstring() -> None:
    missing = [
        f"{file.relative_to(PACKAGE)}: {name}"
        for file in sorted(PACKAGE.rglob("*.py"))
        for name in undocumented(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""A module."""\ndef _private(): ...', []),
        ("x = 1", ["the module"]),
        ('"""M."""\ndef public(): ...', ["public"]),
        ('"""M."""\nclass A:\n  """A."""\n  def b(self): ...\n  def _c(self): ...', ["A.b"]),
        ('"""M."""\n@overload\ndef public(): ...', []),
        ('"""M."""\ndef outer():\n  """O."""\n  def inner(): ...', []),
        ('"""M."""\nclass _A:\n  def b(self): ...', []),
    ],
)
def test_what_lacks_one_is_found(source: str, found: list[str]) -> None:
    assert list(undocumented(ast.parse(source))) == found
