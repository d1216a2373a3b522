"""Edge Impulse's data acquisition format: JSON and CBOR files with sensors, interval and values.

`{"payload": {"interval_ms": 10, "sensors": [{"name": "accX", "units": "m/s2"}, ...], "values":
[[...], ...]}}` (docs.edgeimpulse.com, "Data acquisition format"). The label is what comes before
the first dot of a file's name, or what `info.labels` beside the files says.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import extras
from tinyml.errors import DataError, ToolError

INFO = "info.labels"
_MOST_BYTES = 256 << 20


@dataclass(frozen=True)
class Acquisition:
    """What a sensor gave: `values` float64 [n, sensors], every `interval_ms` a row."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    interval_ms: float
    values: npt.NDArray[np.float64]


def read(path: Path) -> Acquisition | None:
    """Return the acquisition in a `.json` or `.cbor` file; None for a document that is none.

    Raises DataError for a file that cannot be read, ToolError where CBOR's package is missing.
    """
    document = _document(path)
    payload = document.get("payload") if isinstance(document, dict) else None
    if not isinstance(payload, dict) or "values" not in payload:
        return None
    try:
        sensors = payload["sensors"]
        names = tuple(str(sensor["name"]) for sensor in sensors)
        units = tuple(str(sensor.get("units", "")) for sensor in sensors)
        interval = float(payload["interval_ms"])
        values = np.asarray(payload["values"], np.float64).reshape(-1, len(names))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DataError(f"{path} is no acquisition of Edge Impulse: {error}") from error
    if not (math.isfinite(interval) and interval > 0 and len(values)):
        raise DataError(f"{path} has no values, or an interval of {interval} ms")
    return Acquisition(names, units, interval, values)


def labels(folder: Path) -> dict[str, str]:
    """Return file name -> label of what `info.labels` in `folder` lists; {} where there is none."""
    file = folder / INFO
    if not file.is_file():
        return {}
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))["files"]
        return {
            Path(str(entry["path"])).name: str(entry["label"]["label"])
            for entry in entries
            if entry["label"].get("type") == "label"
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{file} does not list labels as Edge Impulse does: {error}") from error


def _document(path: Path) -> Any:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path} has more than {_MOST_BYTES >> 20} MB")
        raw = path.read_bytes()
        if path.suffix.lower() == ".json":
            return json.loads(raw)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON: {error}") from error
    try:
        import cbor2
    except ImportError as error:
        raise ToolError("reading CBOR needs the package cbor2", extras.install("import")) from error
    try:
        return cbor2.loads(raw)
    except Exception as error:  # cbor2 raises many kinds for a damaged file
        raise DataError(f"{path} is no CBOR: {error}") from error
