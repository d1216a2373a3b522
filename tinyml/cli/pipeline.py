"""Steps that several commands go through: name the parts, generate, build, flash, connect."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyml import runtimes
from tinyml.cli import outputs
from tinyml.cli.arguments import BUILD, DEFAULT_BOARD, DEFAULT_MODEL
from tinyml.compiler import c_prefix
from tinyml.errors import ConfigError
from tinyml.firmware import boards, origin
from tinyml.firmware.origin import Origin
from tinyml.model import bundle, stream_settings
from tinyml.records import Board, Bundle, Firmware, Project, RuntimeOptions

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.device import Device
    from tinyml.firmware.plan import BuildPlan


@dataclass(frozen=True)
class Choice:
    """What the arguments name: a model, a board, a runtime, and the folder of the project.

    `check`: whether the C is compared with the reference on this computer before it is built.
    `force`: whether what another command generated there may be replaced.
    """

    bundle: Bundle
    board: Board
    out: Path
    origin: Origin
    check: bool = False
    force: bool = False

    @property
    def runtime(self) -> str:
        """What runs the model on the board."""
        return self.origin.runtime

    @property
    def options(self) -> RuntimeOptions:
        """What is asked of the runtime."""
        return self.origin.options

    @property
    def sensor(self) -> str | None:
        """As `sensors.choose` takes it."""
        return self.origin.sensor

    def changed(self, **fields: Any) -> Choice:
        """Return this with other fields of its origin."""
        return replace(self, origin=replace(self.origin, **fields))


def load_model(args: Namespace, console: Console) -> Bundle:
    """Load the model that `args` names, with --threshold where that is given.

    Where none is named and there are others than the default one, say which is taken. Raises
    ConfigError with the nearest names for an unknown one.
    """
    if args.model is None and (others := _bundles_here()):
        console.note(f"no MODEL is named: {DEFAULT_MODEL} is taken; here are also {others}")
    return _load(args.model or DEFAULT_MODEL, getattr(args, "threshold", None))


def choose(args: Namespace, console: Console, model: str | None = None) -> Choice:
    """Load what `args` names; what is not named is that of the project in --out.

    Raises ConfigError with the nearest names for unknown ones, and for a project folder that holds
    something else.
    """
    out: Path | None = getattr(args, "out", None)
    before = None if out is None else origin.read(out)
    wanted = _wanted(args, model, before)
    board = boards.load(wanted.board)
    if model is None and args.model is None and before is None:
        chosen = load_model(args, console)
    else:
        chosen = _load(wanted.model, wanted.threshold)
    wanted = replace(wanted, runtime=wanted.runtime or board.runtime)
    if out is not None and before is not None and not getattr(args, "force", False):
        _require_same(out, before, wanted)
    slot = "-slot" if wanted.options.slot else ""
    out = out or BUILD / f"{chosen.name}-{board.id}-{wanted.runtime}{slot}"
    check, force = (bool(getattr(args, name, False)) for name in ("check", "force"))
    return Choice(chosen, board, out, wanted, check, force)


def _wanted(args: Namespace, model: str | None, before: Origin | None) -> Origin:
    """Return what is named; what is not, is as it was `before`, where that is meant."""
    named = origin.spelled(model or args.model) if model or args.model else None
    wanted = Origin(
        named or DEFAULT_MODEL,
        args.board or DEFAULT_BOARD,
        args.runtime or "",
        getattr(args, "sensor", None),
        getattr(args, "threshold", None),
        _options(args),
    )
    if before is None or named not in (None, before.model):
        return wanted
    board, runtime = args.board or before.board, args.runtime or before.runtime
    if (board, runtime) != (before.board, before.runtime):
        return replace(wanted, model=before.model, board=board, runtime=runtime)
    return before.with_changes(wanted)


def _options(args: Namespace) -> RuntimeOptions:
    slot_bytes = getattr(args, "slot_bytes", None)
    return RuntimeOptions(
        getattr(args, "tflm_dir", None),
        getattr(args, "arena", None),
        slot=bool(getattr(args, "model_slot", False) or slot_bytes),
        slot_bytes=slot_bytes,
        generation=getattr(args, "tflm_generation", None),
        prefix=getattr(args, "prefix", RuntimeOptions.prefix),
    )


def _require_same(folder: Path, before: Origin, wanted: Origin) -> None:
    if not before.same_project(wanted):
        raise ConfigError(
            f"{folder} holds {before}, not {wanted}",
            "add --force to replace it, or name another folder with --out",
        )


def _load(model: str, threshold: float | None) -> Bundle:
    return stream_settings.changed(bundle.load(model), threshold=threshold)


def _bundles_here() -> str:
    """Return the names of bundles below this folder and where commands write, "" for none."""
    cards = [*Path().glob(f"*/{bundle.CARD}"), *BUILD.glob(f"*/{bundle.CARD}")]
    return ", ".join(sorted(str(card.parent) for card in cards))


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
    """Write the project of `choice`, and what it is of, for the next command on that folder."""
    with outputs.lock(choice.out):
        return _generate(choice, console)


def _generate(choice: Choice, console: Console) -> Project:
    from tinyml.firmware import render

    plan = _plan(choice, console)
    with console.progress(f"generating {choice.out}"):
        project = render.generate(plan, choice.out, choice.force)
    origin.write(choice.out, choice.origin)
    return project


def sketch(choice: Choice, console: Console, out: Path | None) -> Path:
    """Write the Arduino sketch of `choice`; return its .ino file."""
    from tinyml.firmware import render

    # The IDE defines no TF_LITE_STATIC_MEMORY, so TFLM's structures are larger than were measured.
    plan = _plan(choice.changed(options=replace(choice.options, measured=False)), console)
    folder = out or choice.out.with_name(f"{choice.out.name}-arduino")
    with outputs.lock(folder), console.progress(f"generating {folder}"):
        return render.generate_sketch(plan, folder, choice.force)


def library(choice: Choice, console: Console, out: Path | None, form: str) -> Path:
    """Write the model of `choice` as a C library of the format `form`; return its folder."""
    from tinyml.firmware import c_library, render

    prefix = choice.options.prefix
    if prefix == c_prefix.DEFAULT:
        prefix = c_library.prefix_of(choice.bundle)
    folder = out or choice.out.with_name(f"{choice.bundle.name}-{form}")
    source = _plan(choice, console).source
    with outputs.lock(folder), console.progress(f"generating {folder}"):
        return render.generate_library(choice.bundle, source, form, prefix, folder, choice.force)


def fit(choice: Choice, console: Console, port: str | None) -> None:
    """Measure the arena of `choice`, so that the next build reserves just that."""
    from tinyml.measure import arena_fit

    if runtimes.load(choice.runtime).stands_alone:
        console.note(f"the arena of the {choice.runtime} runtime is exact: nothing to measure")
        return
    if choice.options.arena_bytes is not None:
        raise ConfigError("--arena says what --fit is to find out", "leave one of them away")
    label = f"measuring the arena of {choice.bundle.name}"
    with outputs.lock(choice.out), console.progress(label) as shown:
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

    with outputs.lock(choice.out):
        project = _generate(choice, console)
        checked = _checked(choice, project, console) if choice.check else ""
        with console.progress(f"building {choice.bundle.name} for {choice.board.id}") as shown:
            return replace(room.build(project, on_line=shown.update), checked=checked)


def _checked(choice: Choice, project: Project, console: Console) -> str:
    """Compare the generated C with the reference on this computer; return what was found."""
    from tinyml.measure import self_check

    with console.progress(f"checking the C of {choice.bundle.name} on this computer"):
        return self_check.run(choice.bundle, project.source, choice.options.generation)


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
