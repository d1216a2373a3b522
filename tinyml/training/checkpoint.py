"""The state of a training run in one file: arrays in, the same arrays out, or an error."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.errors import ConfigError, DataError

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
    arrays = {f"v{number}": one for number, one in enumerate(state.variables)}
    for stage, weights in enumerate(state.results):
        arrays |= {f"r{stage}_{number}": one for number, one in enumerate(weights)}
    sizes = [len(weights) for weights in state.results]
    about = {
        "identity": identity,
        "stage": state.stage,
        "epoch": state.epoch,
        "variables": len(state.variables),
        "results": sizes,
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}.npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(temporary, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
        temporary.replace(path)
    except OSError as error:
        raise ConfigError(
            f"cannot write the checkpoint {path}: {error.strerror or error}",
            "name another folder with --out",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)  # also where Ctrl-C came in between


def load(path: Path, identity: Mapping[str, Any]) -> State:
    """Return the state in `path`.

    Raises ConfigError where there is none, or another run made it; DataError where it is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as loaded:
            arrays = dict(loaded.items())
        about = json.loads(str(arrays["about"]))
        found = dict(about["identity"])
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
    other = [name for name in identity if found.get(name) != identity[name]]
    if other:
        raise ConfigError(
            f"{path} was made with other options or recordings: "
            + ", ".join(f"{name} {found.get(name)}" for name in other),
            "resume with the same ones, or train from the start without --resume",
        )
    return state
