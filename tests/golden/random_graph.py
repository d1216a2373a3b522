"""Random small graphs of every operator, for differential tests; the seed decides everything."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from builder import ModelBuilder
from grower import Grower, Live

_RECIPES = Path(__file__).parent / "recipes"


def random_graph(seed: int) -> ModelBuilder:
    """Return a model of one to eight operators; the same one for the same seed."""
    return Grower(ModelBuilder(f"random_{seed}")).grow(_steps())


@cache
def _steps() -> list[Callable[[Grower, Live], bool]]:
    """The `grow` of every recipe that has one, as often as its WEIGHT says (1)."""
    names = sorted(path.stem for path in _RECIPES.glob("[a-z]*.py"))
    recipes = [importlib.import_module(f"recipes.{name}") for name in names]
    return [
        recipe.grow
        for recipe in recipes
        if hasattr(recipe, "grow")
        for _ in range(getattr(recipe, "WEIGHT", 1))
    ]
