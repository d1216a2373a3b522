"""JSON files of strokes, as the capture page of TensorFlow's magic wand (2021) saves them.

{"strokes": [{"label": "3", "strokePoints": [{"x": 0.1, "y": -0.2}, ...]}, ...]}: where a wand
pointed, x to the right and y up in any unit, at an even rate from rest to rest. Files are taken in
the order of their names, strokes in the order in which they are in a file.

A document may also say where its strokes are from, `source` and `licence`, and which part of the
split they are: `part`, one of train, validation and test. Where one says its part, all do.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import files, names
from tinyml.datasets import PARTS, Dataset, Recording, check
from tinyml.datasets.check import Findings, Published
from tinyml.datasets.magic_wand import NEGATIVE
from tinyml.errors import DataError

_PUBLISHED = Published(
    frozenset({
        "446316ff5677b01d3e304aaf60d1c448b60185cfcb395328913bcb7a5b2af949",
        "6e929f6ea5e76091dd5cd01e80045a47215bfaed2c4d93bc22c8a22d7ec01387",
        "2e823f3f374dce27005ad594871679c3db8ab81c2ef4b3767889edaff6d4e866",
        "836a4fa621ec7bb60b26e48b91e58de25a7c2f9cb6f0be34da8f1215c5ee2dfa",
        "35d44f391307c9f24a7c464a9b839dc6b28eb484d84f25b459f6476d21d05c6f",
        "4f0ef98ce3d7d885ffbc014dde4845889ff2f67d5b7712b03d8e853e728afcd7",
        "a44d0a2685469fe5481ac6a69ab520fe8fa256227bc9becfd95d32b55f74f930",
        "5f2c7dd40ba568cddaaf384624be801944a6e1205a10eeba3e5e47e7fc080deb",
        "7ea7270543adf10d1af3624f09fe6e21d004e33e5598eca4b87ab84bd61f1d90",
        "b0e3dae6876c802c6aacaf2016b380a9f8b3c62966f23339e403a3b1b493e30d",
    }),
    "magic_wand_digit_data by petewarden, all by one performer",
    "Apache-2.0, github.com/petewarden/magic_wand_digit_data",
)  # fmt: skip
_FEWEST = 5  # points of a stroke
_HINT = 'a file is {"strokes": [{"label": "3", "strokePoints": [{"x": 0.1, "y": 0.2}, ...]}, ...]}'

Points = npt.NDArray[np.float64]


def read(folder: Path) -> Dataset:
    """Return the strokes in the `.json` files of `folder`, in the order in which they were made.

    Strokes without a label, with fewer than five points, with a point that is not two finite
    numbers, or all in one place are left out and listed in `skipped`. Raises DataError where a file
    cannot be read or has no usable stroke, or says a part that is none, or only some say theirs, or
    there are fewer than two labels.
    """
    findings = Findings()
    documents = documents_in(folder)
    is_divided = _is_divided(documents)
    for file in documents:
        if not sum(_take(findings, file, number) for number in range(len(_strokes(file)))):
            why = findings.skipped[-1] if _strokes(file) else "its list of strokes is empty"
            raise DataError(f"{file} has no usable stroke: {why}", _HINT)
    recordings = findings.recordings()
    labels = {recording.label for recording in recordings}
    if len(labels) < 2 or labels == {NEGATIVE}:
        raise DataError(f"{folder} has {len(labels)} kinds of strokes, a model needs 2", _HINT)
    return Dataset(
        *_origin(folder, documents, recordings),
        recordings,
        skipped=tuple(findings.skipped),
        remarks=tuple(findings.remarks),
        background=(NEGATIVE,),
        in_time=not is_divided,
        by="performer",
    )


def _is_divided(documents: list[Path]) -> bool:
    """Whether the documents say which part of the split they are."""
    parts = {file: _stated(file, "part") for file in documents}
    for file, part in parts.items():
        if part and part not in PARTS:
            raise DataError(
                f"{file} is of part {names.shown(part)!r}", f"a part is one of {', '.join(PARTS)}"
            )
    silent = [file for file, part in parts.items() if not part]
    if silent and len(silent) < len(parts):
        raise DataError(
            f"{silent[0]} says no part, others in {silent[0].parent} do",
            'add "part": "train" beside "strokes", or take it out of all',
        )
    return bool(parts) and not silent


def _origin(
    folder: Path, documents: list[Path], recordings: tuple[Recording, ...]
) -> tuple[str, str]:
    """Return sources and licences of the recordings: as stated, or as published."""
    counts = Counter(recording.source for recording in recordings)
    if set(counts) == {""}:
        return _PUBLISHED.origin(folder, documents)
    licences = {_stated(file, "licence") or check.OWNERS for file in documents}
    sources = (f"{source or folder.resolve().name} ({count:,})" for source, count in counts.items())
    return "; ".join(sources), "; ".join(sorted(licences))


def documents_in(folder: Path) -> list[Path]:
    """Return the `.json` files in `folder` that hold strokes, or nothing of use, sorted.

    Any other JSON document (settings, notes) beside folders of recordings decides nothing.
    """
    return [
        file
        for file in sorted(folder.glob("*.[jJ][sS][oO][nN]"))
        if file.name[0] != "." and not _is_other(file)
    ]


def _is_other(file: Path) -> bool:
    """Whether a file is a JSON document without a list of strokes."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return not (isinstance(document, dict) and "strokes" in document)


def points(recording: Recording) -> Points:
    """Return the points of a stroke of `read`, float64 [n, 2]."""
    return _points(_strokes(recording.path)[recording.number])


def write(path: Path, strokes: list[tuple[str, Points]], **stated: str) -> None:
    """Write labelled strokes; what another process writes at the same time is never mixed with it.

    `stated` is what the document says of them: `source`, `licence`, `part`. Raises
    DataError where the file cannot be written.
    """
    content = [
        {
            "index": number,
            "label": label,
            "strokePoints": [{"x": round(x, 4), "y": round(y, 4)} for x, y in stroke.tolist()],
        }
        for number, (label, stroke) in enumerate(strokes)
    ]
    with files.saving(path) as temporary:
        temporary.write_text(json.dumps({**stated, "strokes": content}) + "\n", encoding="utf-8")


def _take(findings: Findings, file: Path, number: int) -> bool:
    """Take up one stroke of a file if it is fit to learn from."""
    stroke = _strokes(file)[number]
    label = stroke.get("label") if isinstance(stroke, dict) else None
    if not isinstance(label, str) or not label:
        findings.skip(f"{file}, stroke {number} has no label")
        return False
    label = check.label(label, f"{file}, stroke {number}")
    source, part = _stated(file, "source"), _stated(file, "part")
    group = " ".join(filter(None, (source or file.parent.name, part)))
    recording = Recording(file, label, group, number=number, part=part, source=source)
    try:
        content = _points(stroke)
    except (KeyError, TypeError, ValueError):
        findings.skip(f"{file}, stroke {number} has no list of points with numbers x and y")
        return False
    problem = ""
    if len(content) < _FEWEST:
        problem = f"has {len(content)} points, a stroke has {_FEWEST}"
    elif not np.isfinite(content).all():
        problem = "has a point that is not finite"
    elif not np.ptp(content, axis=0).any():
        problem = "is a single point"
    return findings.add(recording, content, problem)


def _points(stroke: Any) -> Points:
    pairs = [(float(point["x"]), float(point["y"])) for point in stroke["strokePoints"]]
    return np.array(pairs, np.float64).reshape(-1, 2)


def _strokes(file: Path) -> tuple[Any, ...]:
    return _document(file)[0]


def _stated(file: Path, key: str) -> str:
    """Return what a document says of itself, or ""."""
    return _document(file)[1].get(key, "")


@functools.lru_cache(maxsize=64)
def _document(file: Path) -> tuple[tuple[Any, ...], dict[str, str]]:
    """Return the strokes in a file and what it says of them: `source`, `licence`, `part`."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        stated = {
            key: names.shown(str(content[key]))
            for key in ("source", "licence", "part")
            if content.get(key)
        }
        return tuple(content["strokes"]), stated
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}", _HINT) from error
    except (AttributeError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{file} has no strokes: {error}", _HINT) from error
