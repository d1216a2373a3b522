"""`tinyml validate`: does the device compute what the reference computes?"""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_COMPARISON_FAILED, EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.cli.pipeline import Choice
    from tinyml.model.generations import Generation
    from tinyml.model.vectors import Vector
    from tinyml.records import Firmware

HELP = """prove that a device computes exactly what the reference computes

Builds and flashes the model (or takes the device at --port as it is), sends inputs over serial and
compares every output bit for bit with the TensorFlow Lite Micro interpreter. Exit code 1 means that
something differs. Without --inputs, the bundle's golden vectors are used, or random ones.

--inputs takes an .npz (arrays in0, in1, ...) or .npy, a folder of .bin files with the raw bytes of
the inputs, or a folder of recordings, one window each: 16 kHz WAV files for models that listen, CSV
files (time_ms,x_mg,y_mg,z_mg, for strokes also x_ddps,y_ddps,z_ddps) for those that feel motion,
PNG, JPEG or BMP files for those that see. --stream instead plays recordings as one stream into the
virtual sensor and compares every inference of it.
"""
EXAMPLES = """
tinyml validate
tinyml validate model.tflite --board qemu-m4 --layers
tinyml validate kws_ref_model.tflite --inputs vectors/
tinyml validate --layers --report report.html --report junit.xml
tinyml validate --stream
tinyml validate my_model --stream recordings/
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_project(parser)
    arguments.add_generation(parser)
    arguments.add_port(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("-i", "--inputs", metavar="PATH", type=Path, help="inputs to compare")
    what.add_argument(
        "-s",
        "--stream",
        metavar="PATH",
        type=Path,
        nargs="*",
        help="recordings to play (default: the bundle's examples)",
    )
    parser.add_argument(
        "-l", "--layers", action="store_true", help="compare every layer, not outputs alone"
    )
    arguments.add_count(parser, 16, "random vectors where there are no others")
    parser.add_argument(
        "--seed",
        type=arguments.whole,
        default=0,
        help="seed of random vectors (default: %(default)s)",
    )
    arguments.add_report(parser)
    arguments.add_threshold(parser)
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Build, flash, compare and report; 1 where anything differs."""
    from tinyml.cli import pipeline, results

    results.require_places(args.report)
    choice = pipeline.choose(args, console)
    compare = _vectors if args.stream is None else _stream
    passed = compare(args, choice, console)
    return EXIT_PASSED if passed else EXIT_COMPARISON_FAILED


def _vectors(args: Namespace, choice: Choice, console: Console) -> bool:
    from tinyml import tflite
    from tinyml.cli import pipeline, results
    from tinyml.measure import validate
    from tinyml.model import vectors
    from tinyml.report import validation

    graph = tflite.read(choice.bundle.model, choice.bundle.name)
    inputs = [graph.tensors[index].info for index in graph.inputs]
    if args.inputs is None:
        chosen = vectors.default(choice.bundle, inputs, args.count, args.seed)
    else:
        chosen = vectors.load(args.inputs, choice.bundle, inputs)
    watch = _Stopwatch()
    with (
        pipeline.flashed(choice, console, args.port) as (device, firmware),
        console.progress("comparing") as shown,
    ):

        def on_vector(done: int, vector: Vector) -> None:
            watch.begin(vector.name)
            shown.update(vector.name, done, len(chosen))

        report = validate.validate(
            device,
            choice.bundle,
            chosen,
            layers=args.layers,
            firmware=firmware,
            generation=_generation(args, firmware),
            on_vector=on_vector,
        )
    watch.begin(None)
    page = validation.page(
        report,
        choice.bundle,
        firmware,
        serial_number=device.serial_number,
        seconds=watch.seconds,
    )
    results.show(page, args, console)
    return report.passed


class _Stopwatch:
    """How long each vector takes: `seconds` by its name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._name: str | None = None
        self._since = 0.0

    def begin(self, name: str | None) -> None:
        """End the vector that runs, and begin with the vector `name`, None for no other."""
        now = time.monotonic()
        if self._name is not None:
            self.seconds[self._name] = now - self._since
        self._name, self._since = name, now


def _generation(args: Namespace, firmware: Firmware | None) -> Generation:
    """The generation of TFLM that is named, else that of what was built, else the oracle's."""
    from tinyml.model import generations

    built = firmware.project.source.generation if firmware is not None else ""
    return generations.load(args.tflm_generation or built or generations.REFERENCE.name)


def _stream(args: Namespace, choice: Choice, console: Console) -> bool:
    from tinyml import features
    from tinyml.cli import pipeline, results
    from tinyml.datasets import clips as recordings
    from tinyml.firmware import sensors
    from tinyml.measure import playback, reference, stream_reference
    from tinyml.report import streaming

    config, _ = stream_reference.require_listening(choice.bundle)
    played = args.stream or [choice.bundle.path / "examples"]
    clips = recordings.load(played, features.load(config), choice.bundle.labels)
    choice = choice.changed(sensor=sensors.VIRTUAL)
    with (
        pipeline.flashed(choice, console, args.port) as (device, firmware),
        console.progress("streaming") as shown,
    ):
        run = reference.load(choice.bundle, _generation(args, firmware))[0].step
        report = playback.play(
            device, clips, against=choice.bundle, run=run, on_progress=shown.update
        )
    page = streaming.page(report, firmware, serial_number=device.serial_number)
    results.show(page, args, console)
    return report.passed
