"""`tinyml import`: recordings as people have them become folders that `tinyml train` reads."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_PASSED, ConfigError, DataError

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.importing import Wish

HELP = """turn recordings as you have them into what train reads

SOURCE is a file or a folder of sound (WAV of any rate and width, FLAC, Ogg, MP3 ...), of motion
(CSV, TSV, serial plotter, terminal logs, Edge Impulse's JSON and CBOR ...) or of pictures (JPEG,
WebP, TIFF, HEIC ...). Labels are the names of folders in it, or columns of the files. Long sound is
cut at the labels of a track (--labels), else into words. Units and rates are found out where they
can be, and said; what cannot be known is refused with the option that says it. SOURCE is not
changed; DIR/imported.json lists what was done to each file.
"""
EXAMPLES = """
tinyml import phone_recordings/ --to words
tinyml import afternoon.flac --labels afternoon.txt --to words
tinyml import squats.csv --label squat --to gestures
tinyml import logs/ --columns time,x,y,z --unit g --rate 50 --to gestures
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", metavar="SOURCE", type=Path, help="file or folder")
    parser.add_argument(
        "--to", metavar="DIR", type=Path, required=True, help="new folder to write to"
    )
    parser.add_argument("--label", metavar="LABEL", default="", help="what it shows")
    parser.add_argument(
        "--labels", metavar="FILE", type=Path,
        help="label track of one sound: Audacity's, or CSV with start,end,label in seconds",
    )  # fmt: skip
    parser.add_argument(
        "--kind", metavar="KIND", default="",
        help="sound, motion or picture (default: what most files are)",
    )  # fmt: skip
    parser.add_argument("--unit", metavar="UNIT", default="", help="of acceleration: g, m/s2 or mg")
    parser.add_argument(
        "--range", metavar="G", type=float, default=0.0,
        help="acceleration is raw counts of 16 bits for +-G g",
    )  # fmt: skip
    parser.add_argument(
        "--rate", metavar="HZ", type=float, default=0.0, help="samples a second of motion"
    )
    parser.add_argument(
        "--columns", metavar="NAMES", default="",
        help="names of the columns where the first line has none: time,x,y,z",
    )  # fmt: skip
    parser.add_argument("--whole", action="store_true", help="do not cut long sound into words")
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Import and say what became of it."""
    from tinyml.cli import results
    from tinyml.importing import folder
    from tinyml.report import importing

    wish = _wish(args)
    with console.progress(f"importing {args.source}") as shown:
        result = folder.run(
            args.source, args.to, wish, args.label, args.kind,
            lambda done, total: shown.update("files", done, total),
        )  # fmt: skip
    if not result.written:
        first = result.left_out[0]
        raise DataError(f"{first.source}: {first.why}", first.option)
    results.show(importing.page(result), args, console)
    return EXIT_PASSED


def _wish(args: Namespace) -> Wish:
    """Return what the arguments say of the recordings; raises ConfigError for what cannot be."""
    from tinyml.importing import Wish, label_track, motion_units

    if args.unit and args.unit not in motion_units.UNITS:
        raise ConfigError(f"--unit is {args.unit!r}", f"known: {', '.join(motion_units.UNITS)}")
    for name, value, most in (("range", args.range, 400), ("rate", args.rate, 100_000)):
        if not 0 <= value <= most:
            raise ConfigError(f"--{name} is {value:g}, not 0 to {most:,}", "see: tinyml import -h")
    if args.labels and not args.source.is_file():
        raise ConfigError(
            "--labels is the track of one recording", "name a file, not a folder, to import"
        )
    return Wish(
        unit=args.unit,
        range_g=args.range,
        rate_hz=args.rate,
        columns=tuple(name.strip() for name in args.columns.split(",") if name.strip()),
        regions=label_track.read(args.labels) if args.labels else (),
        whole=args.whole,
    )
