"""Results as JSON documents: dataclasses and arrays to JSON types, under a name with a version."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1


def render(name: str, record: Any, indent: int | None = 2) -> str:
    """Return `record` (a dataclass or mapping) as the JSON document `tinyml.<name>/1`.

    `indent`: spaces per level, None for one line.
    """
    return json.dumps({"schema": f"tinyml.{name}/{SCHEMA_VERSION}", **plain(record)}, indent=indent)


def plain(value: Any) -> Any:
    """Return `value` as JSON types: dataclasses become objects, paths text, numpy arrays lists.

    Bytes become hex, and what JSON has no number for (infinity, not a number) null.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "tolist"):  # a numpy array or scalar
        return plain(value.tolist())
    return value
