"""The architecture: imports run to rooms on the left, and rooms say what they are."""

from __future__ import annotations

import ast
import importlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import tinyml
from tinyml.rooms import ENTRANCES, ROOMS

PACKAGE = Path(tinyml.__file__).parent
ROOT = ""  # the room of the modules that know no room


def imports(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted module) for every import of tinyml in `source`, at any depth of it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "tinyml":
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tinyml":
            assert node.module is not None
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def room(dotted: str) -> str:
    """The room of a module `tinyml.room.module` (or of a name in it)."""
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else ROOT


def backward(file: Path, source: str) -> list[str]:
    """Every import in `file` that runs against the order of rooms."""
    order = [ROOT, *ROOMS]
    inside = file.relative_to(PACKAGE).with_suffix("").parts
    here = inside[0] if len(inside) > 1 else ROOT
    if here == ROOT and inside[0] in ENTRANCES:
        return []
    return [
        f"{file.relative_to(PACKAGE)}:{line} imports {dotted}"
        for line, dotted in imports(source)
        if order.index(room(dotted)) > order.index(here)
    ]


def test_no_import_runs_backward() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 200
    found = [each for file in files for each in backward(file, file.read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("media/wav.py", "from tinyml.cli import console"),
        ("errors.py", "from tinyml import media"),
        ("errors.py", "import tinyml.media.wav"),
        ("model/oracle.py", "def f() -> None:\n    from tinyml.measure.bench import run"),
    ],
)
def test_a_backward_import_is_found(place: str, source: str) -> None:
    assert backward(PACKAGE / place, source)


def test_rooms_are_the_folders() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} | {"platforms"}
    assert folders == set(ROOMS)


@pytest.mark.parametrize("name", sorted(set(ROOMS) - {"platforms"}))
def test_a_room_begins_with_its_sentence(name: str) -> None:
    text = importlib.import_module(f"tinyml.{name}").__doc__ or ""
    assert " ".join(text.split()).startswith(ROOMS[name])


def test_the_root_is_what_the_plan_names() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == {
        "__init__", "errors", "extras", "files", "names", "paths", "proc", "quiet", "records",
        "registry", "rooms", *ENTRANCES,
    }  # fmt: skip


def test_a_public_class_has_a_name_of_its_own() -> None:
    """Who searches for a class by its name finds one."""
    names = Counter(
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []
