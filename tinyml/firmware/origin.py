"""Where a generated project came from: model, board, runtime and options, read back by commands.

It lies in the project folder, beside the manifest of the generated files. Paths are relative to
the folder, so that it can move together with its model.
"""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path

from tinyml import files
from tinyml.errors import ConfigError
from tinyml.model import bundle
from tinyml.records import DEFAULT_OPTIONS, RuntimeOptions

FILE = "tinyml_origin.json"
_FORMAT = 1


@dataclass(frozen=True)
class Origin:
    """What a project was generated from.

    `model`: a shipped name, or the path of a bundle or `.tflite` file. `threshold`: None for the
    card's. `sensor`: as `sensors.choose` takes it.
    """

    model: str
    board: str
    runtime: str
    sensor: str | None = None
    threshold: float | None = None
    options: RuntimeOptions = DEFAULT_OPTIONS

    def with_changes(self, wanted: Origin) -> Origin:
        """Return this with whatever of sensor, threshold and options `wanted` states."""
        stated = {
            field.name: value
            for field in dataclasses.fields(RuntimeOptions)
            if (value := getattr(wanted.options, field.name)) != field.default
        }
        return dataclasses.replace(
            self,
            sensor=wanted.sensor or self.sensor,
            threshold=wanted.threshold or self.threshold,
            options=dataclasses.replace(self.options, **stated),
        )

    def same_project(self, other: Origin) -> bool:
        """Whether both are of one model, board and runtime, whatever their options."""
        return (self.model, self.board, self.runtime) == (other.model, other.board, other.runtime)

    def __str__(self) -> str:
        return f"{self.model} for {self.board} under the {self.runtime} runtime"


def spelled(model: str) -> str:
    """Return how an origin spells the `model` that a user named: equal ones equally."""
    if model in bundle.shipped():
        return model
    path = os.path.relpath(model)
    return f"{os.curdir}{os.sep}{path}" if path in bundle.shipped() else path


def write(folder: Path, origin: Origin) -> None:
    """Write `origin` into a project folder; raises ConfigError where that cannot be."""
    content = {"format": _FORMAT, **dataclasses.asdict(origin)}
    if origin.model not in bundle.shipped():
        content["model"] = os.path.relpath(origin.model, folder)
    if origin.options.library is not None:
        content["options"]["library"] = os.path.relpath(origin.options.library, folder)
    try:
        files.write(folder / FILE, json.dumps(content, indent=1) + "\n")
    except OSError as error:
        raise ConfigError(
            f"cannot write {folder / FILE}: {error.strerror or error}",
            "name another folder with --out",
        ) from error


def read(folder: Path) -> Origin | None:
    """Return what the project in `folder` came from, None where that is not known."""
    try:
        content = json.loads((folder / FILE).read_bytes())
        if content.pop("format") != _FORMAT:
            return None
        if content["model"] not in bundle.shipped():
            content["model"] = spelled(str(folder / content["model"]))
        options = RuntimeOptions(**content.pop("options"))
        if options.library is not None:
            library = Path(os.path.relpath(folder / options.library))
            options = dataclasses.replace(options, library=library)
        return Origin(**content, options=options)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
