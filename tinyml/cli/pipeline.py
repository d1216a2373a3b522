"""Steps that several commands go through: name the parts, generate, build, flash, connect."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml import runtimes
from tinyml.cli.arguments import BUILD
from tinyml.errors import ConfigError
from tinyml.firmware import boards
from tinyml.model import bundle
from tinyml.records import Board, Bundle, Firmware, Project, RuntimeOptions

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.device import Device
    from tinyml.firmware.plan import BuildPlan


@dataclass(frozen=True)
class Choice:
    """What the arguments name: a model, a board, a runtime, and the folder of the project."""

    bundle: Bundle
    board: Board
    runtime: str
    out: Path
    options: RuntimeOptions
    sensor: str | None


def choose(args: Namespace, model: str | None = None) -> Choice:
    """Load what `args` names; raises ConfigError with the nearest names for unknown ones."""
    board = boards.load(args.board)
    chosen = bundle.load(args.model if model is None else model)
    runtime = args.runtime or board.runtime
    slot_bytes = getattr(args, "slot_bytes", None)
    slot = bool(getattr(args, "model_slot", False) or slot_bytes)
    options = RuntimeOptions(
        getattr(args, "tflm_dir", None),
        getattr(args, "arena", None),
        slot=slot,
        slot_bytes=slot_bytes,
        generation=getattr(args, "tflm_generation", None),
        prefix=getattr(args, "prefix", RuntimeOptions.prefix),
    )
    folder = f"{chosen.name}-{board.id}-{runtime}{'-slot' if slot else ''}"
    out = getattr(args, "out", None) or BUILD / folder
    return Choice(chosen, board, runtime, out, options, getattr(args, "sensor", None))


def _plan(choice: Choice, console: Console) -> BuildPlan:
    """Resolve what the arguments name; say what the chosen sensor's library entails."""
    from tinyml.firmware import plan

    with console.progress(f"reading {choice.bundle.name}"):
        made = plan.resolve(
            choice.bundle, choice.board, choice.runtime, choice.options, choice.sensor
        )
    if made.sensor is not None and made.sensor.consent:
        console.note(f"sensor {made.sensor.name}: {made.sensor.consent}")
    return made


def generate(choice: Choice, console: Console) -> Project:
    """Write the project of `choice`."""
    from tinyml.firmware import render

    plan = _plan(choice, console)
    with console.progress(f"generating {choice.out}"):
        return render.generate(plan, choice.out)


def sketch(choice: Choice, console: Console, out: Path | None) -> Path:
    """Write the Arduino sketch of `choice`; return its .ino file."""
    from tinyml.firmware import render

    # The IDE defines no TF_LITE_STATIC_MEMORY, so TFLM's structures are larger than were measured.
    plan = _plan(replace(choice, options=replace(choice.options, measured=False)), console)
    folder = out or choice.out.with_name(f"{choice.out.name}-arduino")
    with console.progress(f"generating {folder}"):
        return render.generate_sketch(plan, folder)


def fit(choice: Choice, console: Console, port: str | None) -> None:
    """Measure the arena of `choice`, so that the next build reserves just that."""
    from tinyml.measure import arena_fit

    if runtimes.load(choice.runtime).stands_alone:
        console.note(f"the arena of the {choice.runtime} runtime is exact: nothing to measure")
        return
    if choice.options.arena_bytes is not None:
        raise ConfigError("--arena says what --fit is to find out", "leave one of them away")
    with console.progress(f"measuring the arena of {choice.bundle.name}") as shown:
        measured = arena_fit.measure(
            choice.bundle,
            choice.board,
            choice.runtime,
            choice.out,
            choice.options,
            port,
            shown.update,
        )
    same = "" if measured.on == choice.board.id else f", with the library of {choice.board.id}"
    console.note(f"arena measured on {measured.on}{same}: {measured.bytes:,} bytes")


def build(choice: Choice, console: Console) -> Firmware:
    """Generate and build the firmware of `choice`."""
    from tinyml.build import pio as room

    project = generate(choice, console)
    with console.progress(f"building {choice.bundle.name} for {choice.board.id}") as shown:
        return room.build(project, on_line=shown.update)


def flash(firmware: Firmware, console: Console, port: str | None = None) -> None:
    """Put `firmware` on its board; an emulated board starts anew."""
    from tinyml import device

    with console.progress(f"flashing {firmware.project.board.id}") as shown:
        device.flash(firmware, port=port, on_step=shown.update)


@contextmanager
def connected(board: Board, console: Console, port: str | None = None) -> Iterator[Device]:
    """Connect to the device that runs as `board`, for the length of the block."""
    from tinyml import device

    with console.progress(f"connecting to {board.id}"):
        connection = device.connect(board, port)
    with connection:
        yield connection


@contextmanager
def flashed(
    choice: Choice, console: Console, port: str | None = None
) -> Iterator[tuple[Device, Firmware | None]]:
    """Build, flash and connect; with `port`, connect to the device there and leave it as it is."""
    firmware = None
    if port is None:
        firmware = build(choice, console)
        flash(firmware, console)
    with connected(choice.board, console, port) as device:
        yield device, firmware
