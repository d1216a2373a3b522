"""`tinyml train`: from recordings to an int8 bundle."""

from __future__ import annotations

import dataclasses
import shlex
from argparse import ArgumentParser, Namespace
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console, Display
    from tinyml.records import Card
    from tinyml.training import Progress

HELP = """train a model, quantize it to int8, evaluate it and write a bundle

--data is a folder. For keyword_spotting: one folder of WAV files per word and _background_noise_
beside them, as Speech Commands has it. For gesture: one folder of CSV files per gesture
(time_ms,x_mg,y_mg,z_mg) and `negative` for other motion, or the gesture_*.txt of the magic wand.
For stroke: JSON of strokes as the magic wand's capture page saves them, or one folder of CSV files
per stroke with rotation too (x_ddps,y_ddps,z_ddps: tenths of a degree per second).
For person_detection: one folder of pictures with people and `not_person` for others, or COCO's
annotations and pictures. Without --data words are synthesized with espeak-ng, motion is simulated,
or pictures are rendered: the model then is a stand-in that shows the whole way, and says so. Ctrl-C
leaves a checkpoint that --resume continues.
"""
_SHOWN = 10  # recordings that were skipped
_NUMBERS = (
    ("epochs", int, "passes over the recordings"),
    ("batch_size", int, "examples per step"),
    ("seed", int, "equal seeds give equal models"),
    ("width", float, "factor on the network's channels"),
    ("learning_rate", float, "highest learning rate"),
    ("variants", int, "augmented versions of each clip"),
    ("synthetic", int, "synthetic recordings per label to train on besides"),
    ("teachers", int, "wider networks that learn first and then teach the one that is wanted"),
)
EXAMPLES = """
tinyml train keyword_spotting --data speech_commands/ --out my_model
tinyml train keyword_spotting --out stand_in
tinyml train gesture --data my_gestures/ --out wand
tinyml train keyword_spotting --data words/ --epochs 20 --width 0.5 --out small
tinyml train keyword_spotting --data speech_commands/ --out my_model --resume
tinyml train keyword_spotting --data my_word/ --from shipped --out my_word_model
tinyml train keyword_spotting --data words/ --qat
tinyml train keyword_spotting --data words/ --tensorboard logs/
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_task(parser, "what to train")
    parser.add_argument(
        "-d",
        "--data",
        metavar="DIR",
        type=Path,
        help="folder, or a public data set: speech_commands, magic_wand, coco:N, vww:N",
    )
    parser.add_argument(
        "-o", "--out", metavar="DIR", type=Path, help="bundle to write (default: build/TASK)"
    )
    _add_learning(parser)
    _add_run(parser)
    arguments.add_force(parser, "a bundle")
    arguments.add_json(parser)


def _add_learning(parser: ArgumentParser) -> None:
    """What decides which model comes out."""
    from tinyml.training import AUTO, Options

    default = Options()
    for name, kind, what in _NUMBERS:
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            metavar="N",
            type=kind,
            default=getattr(default, name),
            help=f"{what} (default: %(default)s)",
        )
    parser.add_argument(
        "--learn-from",
        metavar="MODEL",
        nargs="+",
        default=(),
        help="finished int8 models of the same labels, whose answers are learned besides",
    )
    parser.add_argument(
        "--qat", action="store_true", help="end with epochs in which the network gets used to int8"
    )
    parser.add_argument(
        "--from",
        metavar="MODEL",
        dest="start",
        default=AUTO,
        help="trained model to start from: a bundle, shipped, none, or auto, which is the shipped "
        "one where a label has fewer than 50 recordings (default: %(default)s)",
    )


def _add_run(parser: ArgumentParser) -> None:
    """Where and how it runs, which decides nothing."""
    from tinyml.training import distribution

    parser.add_argument(
        "--resume", action="store_true", help="continue where an interrupted run stopped"
    )
    parser.add_argument(
        "--tensorboard", metavar="DIR", type=Path, help="write event files for TensorBoard"
    )
    parser.add_argument(
        "--strategy",
        choices=distribution.NAMES,
        default=distribution.NONE,
        help="train on all chips of this machine, or on those of TF_CONFIG (default: %(default)s)",
    )


def run(args: Namespace, console: Console) -> int:
    """Train and say how good the model is and where it lies."""
    import warnings

    from tinyml.cli import outputs, results
    from tinyml.report import training
    from tinyml.training import Options, RunOptions, train

    warnings.filterwarnings("ignore", module="tensorflow")  # its advice is not for this user
    names = [field.name for field in dataclasses.fields(Options)]
    options = Options(
        **{name: getattr(args, name) for name in names if name != "learn_from"},
        learn_from=tuple(args.learn_from),
    )
    run_options = RunOptions(args.resume, args.tensorboard, args.strategy)
    out = args.out or arguments.BUILD / args.task
    outputs.require_new(out, args.force or args.resume)
    checkpoint = train.checkpoint_path(out)
    others = None if args.resume else _written(checkpoint)
    try:
        with _lock(args, out), console.progress(f"training {args.task}") as shown:
            bundle = train.train(
                args.task,
                args.data,
                out,
                options,
                lambda done: _tick(shown, done, console),
                run_options,
                args.start,
            )
    except KeyboardInterrupt:
        if _written(checkpoint) not in (None, others):
            console.note(f"what was learned is kept; continue with: {_command(args)}")
        raise
    if bundle is None:
        console.note("this worker has done its part; the chief writes the bundle")
    else:
        _show_notes(bundle.card, out, console)
        results.show(training.page(bundle, out), args, console)
    return EXIT_PASSED


def _lock(args: Namespace, out: Path) -> AbstractContextManager[None]:
    """Return the lock on `out`; workers of one training share it."""
    from tinyml.cli import outputs
    from tinyml.training import distribution

    shared = args.strategy == distribution.MULTIWORKER
    return nullcontext() if shared else outputs.lock(out)


def _written(checkpoint: Path) -> int | None:
    """Return when a file was written, None where there is none."""
    return checkpoint.stat().st_mtime_ns if checkpoint.is_file() else None


def _command(args: Namespace) -> str:
    """Return the command that continues: what was given that is not as usual, and --resume."""
    parser = ArgumentParser()
    add_arguments(parser)
    words = ["tinyml", "train", args.task]
    for action in parser._actions:
        value = getattr(args, action.dest, None)
        if not action.option_strings or value in (None, action.default):
            continue
        values = [] if value is True else value if isinstance(value, list) else [value]
        words += [action.option_strings[-1], *map(str, values)]
    words = [word for word in words if word not in ("--resume", "--json")]
    return shlex.join([*words, "--resume"])


def _show_notes(card: Card, out: Path, console: Console) -> None:
    skipped = card.skipped or ()
    for reason in skipped[:_SHOWN]:
        console.note(f"note: {reason}")
    if (more := len(skipped) - _SHOWN) > 0:
        console.note(f"note: and {more:,} more, which {out}/card.json lists")


def _tick(shown: Display, done: Progress, console: Console) -> None:
    """Show one line of progress: stage, loss, accuracy, time left; and a note for good."""
    if done.note:
        console.note(f"note: {done.note}")
    unit = "" if done.loss is None else "epoch "
    parts = [f"{done.stage} {unit}{done.done} of {done.total}"]
    if done.loss is not None:
        parts.append(f"loss {done.loss:.3f}")
    if done.accuracy is not None:
        parts.append(f"accuracy {done.accuracy:.1%}")
    if done.seconds_left is not None:
        parts.append(f"{_duration(done.seconds_left)} left")
    shown.update(", ".join(parts), done.done, done.total)


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 6000 else f"{whole // 3600} h {whole % 3600 // 60} min"
