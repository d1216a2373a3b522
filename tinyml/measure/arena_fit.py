"""Tensor arena sizing: how much a model needs, to 16 bytes, by running it (`tinyml build --fit`).

A firmware with an arena that certainly suffices says what was touched of it; one with just that
much must then compute the same. Where no board is attached an emulated one runs the same library:
the same code for the same processor core needs the same memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from tinyml import device, runtimes
from tinyml.build import pio
from tinyml.device.refusal import ModelRefusal
from tinyml.errors import ConfigError, DeviceError, DoesNotFitError, TinymlError
from tinyml.firmware import boards, plan, render
from tinyml.measure import validate
from tinyml.model import arena_cache, vectors
from tinyml.model.arena_cache import Measured
from tinyml.protocol.messages import ModelReason
from tinyml.records import Board, Bundle, RuntimeOptions
from tinyml.runtimes import Library

_ALIGNMENT = 16
_VECTORS = 4
_ROOM = 4 << 20  # what the emulated machine really has of either memory

OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Target:
    """Where it is measured: a board and runtime, its port (None: emulated), a folder."""

    board: Board
    runtime: str
    port: str | None
    folder: Path
    options: RuntimeOptions


def measure(
    bundle: Bundle,
    board: Board,
    runtime: str,
    out: Path,
    options: RuntimeOptions,
    port: str | None = None,
    on_step: OnStep = lambda text: None,
) -> Measured:
    """Measure the arena that `bundle` needs under `runtime` on `board`, and remember it.

    It is measured on the board at `port` with a project in `out`, else on an emulated one with a
    project that does not outlive this call. Raises ConfigError where it cannot be measured, and
    what building, flashing and running raise.
    """
    kind = runtimes.load(runtime).library
    if kind is None:
        raise ConfigError(f"the arena of the {runtime} runtime is exact", "leave --fit away")
    library = kind.folder(options)
    about = kind.arena_subject(bundle, board, library)
    bound = kind.arena_bound(bundle)
    if port is not None:
        there: AbstractContextManager[Target] = nullcontext(
            Target(board, runtime, port, out, options)
        )
    else:
        library = library or _downloaded(bundle, board, runtime, kind, out, on_step)
        there = _emulated(runtime, replace(options, library=library))
    with there as target:
        needed = smallest(
            bound, lambda arena: _touched(bundle, target, arena, on_step, may_crash=arena < bound)
        )
        measured = Measured(needed, target.board.id)
    arena_cache.remember(about, measured)
    return measured


@contextmanager
def _emulated(runtime: str, options: RuntimeOptions) -> Iterator[Target]:
    """The default board with all the memory that there is: bounds and large models fit as well."""
    roomy = replace(boards.load(boards.DEFAULT), flash_bytes=_ROOM, ram_bytes=_ROOM)
    with tempfile.TemporaryDirectory(prefix="tinyml-fit-") as folder:
        try:
            yield Target(roomy, runtime, None, Path(folder) / "project", options)
        finally:
            if any(running.board == roomy.id for running in device.devices()):
                device.stop(roomy.id)


def _downloaded(
    bundle: Bundle, board: Board, runtime: str, kind: Library, out: Path, on_step: OnStep
) -> Path:
    """Have PlatformIO download the library that `board` uses; return where it is."""
    if not board.options.get(kind.board_key):
        raise ConfigError(
            f"{board.id} has no library of its own for {runtime} to measure with",
            f"add {kind.option} DIR",
        )
    on_step(f"building for {board.id}, for its library")
    pio.build(render.generate(plan.resolve(bundle, board, runtime), out), on_step)
    folder = out / ".pio" / "libdeps" / board.id
    for library in sorted(folder.iterdir() if folder.is_dir() else ()):
        if kind.is_in(library):
            return library
    raise ConfigError(
        f"{folder} has no library of {runtime} to measure with",
        f"add {kind.option} DIR, or --port PORT",
    )


def smallest(enough: int, run: Callable[[int], int | None]) -> int:
    """Return the smallest arena in bytes, in steps of 16, with which `run` succeeds.

    `run` returns what was touched of an arena, None where it is too small. What was touched is only
    where to look next: a kernel may reserve bytes that it does not use, and the memory planner
    takes for itself what a larger arena has left. So 16 bytes less than what is returned have been
    tried, and were too little. Raises ConfigError where `enough` is not.
    """
    touched = run(enough)
    if touched is None:
        raise ConfigError(
            f"the model does not start with an arena of {enough:,} bytes, which was taken to be "
            "enough",
            "give a larger one: --arena BYTES",
        )
    too_little = step = 0
    while too_little + _ALIGNMENT < enough:
        candidate = min(_aligned(touched), enough - max(step, _ALIGNMENT))
        if candidate <= too_little:
            candidate = _aligned((too_little + enough) // 2)
        now = run(candidate)
        if now is None:
            too_little = candidate
        else:
            enough, touched = candidate, now
            step = max(2 * step, _ALIGNMENT)  # what is touched may be all that there is
    return enough


def _aligned(count: int) -> int:
    return -(-count // _ALIGNMENT) * _ALIGNMENT


def _touched(
    bundle: Bundle, target: Target, arena: int, on_step: OnStep, *, may_crash: bool
) -> int | None:
    """Return what a firmware with that arena touched of it; None where it is too small.

    The library of 2023 uses some memory without looking whether it got any, so a model that
    `may_crash` as it starts has too small an arena as well. Raises DeviceError where the outputs
    are not those of the reference.
    """
    on_step(f"trying an arena of {arena:,} bytes on {target.board.id}")
    options = replace(target.options, arena_bytes=arena)
    project = render.generate(
        plan.resolve(bundle, target.board, target.runtime, options), target.folder
    )
    try:
        built = pio.build(project)
        device.flash(built, target.port)
    except ModelRefusal as refusal:
        if refusal.reason == ModelReason.ARENA:
            return None
        raise
    except DeviceError:
        if may_crash:
            return None
        raise
    except DoesNotFitError as error:
        raise _not_here(target, error) from error
    with device.connect(target.board, target.port) as connected:
        chosen = vectors.default(bundle, connected.info.inputs, _VECTORS, seed=0)[:_VECTORS]
        report = validate.validate(connected, bundle, chosen)
        if not report.passed:
            raise DeviceError(
                f"with an arena of {arena:,} bytes {target.board.id} computes something else",
                f"tinyml validate {bundle.path} --board {target.board.id} "
                f"--runtime {target.runtime} --layers",
            )
        return connected.status().arena_used


def _not_here(target: Target, error: TinymlError) -> ConfigError:
    return ConfigError(
        f"the arena cannot be measured on {target.board.id}: {error.message}",
        "leave --port away to measure on the emulated board, which has more memory"
        if target.port is not None
        else "attach the board and name its --port",
    )
