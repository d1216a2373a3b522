"""Checkpoints of a training run: its whole state to one file, and back, or an error."""

from __future__ import annotations

import itertools
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import files
from tinyml.errors import ConfigError, DataError
from tinyml.model import npz

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class State:
    """What is left of `epoch` epochs of stage number `stage`: everything that decides the rest.

    `variables` are those of the stage under way; `results` are the weights that each finished stage
    ended with.
    """

    stage: int = 0
    epoch: int = 0
    variables: Sequence[Array] = ()
    results: Sequence[Sequence[Array]] = field(default_factory=list)


def save(path: Path, identity: Mapping[str, Any], state: State) -> None:
    """Write `state` whole or not at all; raises ConfigError where it cannot be written."""
    arrays = {f"v{number}": array for number, array in enumerate(state.variables)}
    for stage, weights in enumerate(state.results):
        arrays |= {f"r{stage}_{number}": array for number, array in enumerate(weights)}
    sizes = [len(weights) for weights in state.results]
    about = {
        "identity": identity,
        "stage": state.stage,
        "epoch": state.epoch,
        "variables": len(state.variables),
        "results": sizes,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise ConfigError(
            f"cannot write the checkpoint {path}: {error.strerror or error}",
            "name another folder with --out",
        ) from error


def load(path: Path, identity: Mapping[str, Any]) -> State:
    """Return the state in `path`.

    Raises ConfigError where there is none, or another run made it; DataError where it is damaged.
    """
    try:
        arrays = npz.arrays(path)
        about = json.loads(str(arrays["about"]))
        made_with = dict(about["identity"])
        variables = [arrays[f"v{number}"] for number in range(about["variables"])]
        results = [
            [arrays[f"r{stage}_{number}"] for number in range(size)]
            for stage, size in enumerate(about["results"])
        ]
        state = State(int(about["stage"]), int(about["epoch"]), variables, results)
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is nothing to resume: {path} does not exist", "train without --resume"
        ) from error
    except Exception as error:  # numpy and zipfile raise many kinds for a damaged file
        raise DataError(
            f"{path} is no usable checkpoint: {error}", "train without --resume"
        ) from error
    differing = [name for name in identity if made_with.get(name) != identity[name]]
    if differing:
        raise ConfigError(
            f"{path} was made with other options, recordings or another tinyml: "
            + ", ".join(
                f"{name} {made_with.get(name)}, not {identity[name]}" for name in differing
            ),
            "resume with the same ones, or train from the start without --resume",
        )
    return state


def make_room(path: Path, identity: Mapping[str, Any]) -> Path | None:
    """Move what another training left in `path` aside and return where it is now, if it was there.

    Raises ConfigError where it is of this very training, which can go on.
    """
    if not path.exists():
        return None
    try:
        state = load(path, identity)
    except (ConfigError, DataError):
        names = (path.with_name(f"{path.stem}.{number}.npz") for number in itertools.count(1))
        aside = next(name for name in names if not name.exists())
        path.rename(aside)
        return aside
    raise ConfigError(
        f"{path} has this training after {state.epoch} epochs of its stage {state.stage + 1}",
        f"continue it with --resume, or begin anew: rm {shlex.quote(str(path))}",
    )
