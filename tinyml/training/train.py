"""All of `tinyml train`: a task and recordings in, a measured int8 bundle out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinyml import tasks
from tinyml.datasets import TEST
from tinyml.errors import DataError, ToolError
from tinyml.firmware import boards
from tinyml.measure import evaluate
from tinyml.model import bundle as bundles
from tinyml.model import leakage
from tinyml.records import Bundle
from tinyml.training import (
    NONE,
    USUAL,
    Conduct,
    OnProgress,
    Options,
    Progress,
    distribution,
    fit,
    restore,
    split,
    teachers,
)
from tinyml.training.recipe import Teaching
from tinyml.training.split import Lesson


def train(
    task_name: str,
    data: Path | None,
    out: Path,
    options: Options,
    on_progress: OnProgress,
    conduct: Conduct = USUAL,
    start: str = NONE,
) -> Bundle | None:
    """Train, quantize and measure a model, and write it as a bundle into the folder `out`.

    Without `data` the recordings are synthesized, and the card says that the model is a stand-in.
    `start` is what training starts from, see `split.prepare`. After each epoch the state is kept
    beside `out` (see `checkpoint_path`); it stays when training is interrupted, for
    `conduct.resume`. Measured are only recordings of the test part, which nothing else sees. Of
    several workers only the chief writes and returns a bundle. Raises ConfigError, DataError or
    ToolError; `out` is written whole or not at all.
    """
    task = tasks.load(task_name)
    bundles.check_target(out)
    cluster = distribution.join(conduct.strategy, options.qat)
    taught = split.prepare(
        task, task_name, data, options, start, _counted("making data", on_progress)
    )
    _check_start(taught)
    school = teachers.load(options.learn_from, taught.labels)
    lessons = Teaching(task_name, task, taught, options, school)
    results = fit.fit(
        lessons.material,
        lessons.stages(),
        options,
        conduct,
        cluster,
        checkpoint_path(out),
        lessons.identity(),
        on_progress,
    )
    if not cluster.chief:
        return None
    on_progress(Progress("quantizing", 0, 1))
    files, without_qat = lessons.files(results)
    card = {"name": out.name, **lessons.document(files[bundles.MODEL], data)}
    if taught.few is not None:
        measured = lessons.estimated(files[bundles.MODEL], _counted("estimating", on_progress))
    else:
        measured = _measured(card, files, without_qat, taught, on_progress)
    noise = lessons.noise(files[bundles.MODEL], results)
    bundle = bundles.save(out, {**card, **measured, "noise": noise}, files)
    checkpoint_path(out).unlink(missing_ok=True)
    return bundle


def _check_start(taught: Lesson) -> None:
    """Raise DataError now where what training starts from learned from all that tests it later."""
    if taught.start is None or taught.few is not None:
        return
    try:
        leakage.asked(taught.start, taught.dataset, TEST)
    except DataError as error:
        hint = "record others, or train from the start: --from none"
        raise DataError(error.message, hint) from error


def checkpoint_path(out: Path) -> Path:
    """Return the file beside the bundle folder `out` that keeps the state of its training."""
    return out.absolute().parent / f".{out.name}.training.npz"


def _measured(
    card: dict[str, Any],
    files: dict[str, bytes],
    without_qat: bytes | None,
    taught: Lesson,
    on_progress: OnProgress,
) -> dict[str, Any]:
    """Return `accuracy` and `confusion` on the test part: float, int8, compiled for this host."""
    ticks = _counted("testing", on_progress)
    accuracy: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as work:
        draft = bundles.save(Path(work, str(card["name"])), card, files)
        report = evaluate.evaluate_dataset(
            draft, taught.dataset, on_progress=ticks, floating=restore.float_accuracy
        )
        board = boards.load(boards.DEFAULT)
        try:
            compiled = evaluate.evaluate_dataset(draft, taught.dataset, evaluate.HOST, board=board)
            accuracy["compiled"] = compiled.accuracy
        except ToolError:
            accuracy["compiled"] = None  # there is no C compiler here
        if without_qat is not None:
            plain = bundles.save(Path(work, "plain"), card, {**files, bundles.MODEL: without_qat})
            before = evaluate.evaluate_dataset(plain, taught.dataset)
            accuracy["int8_without_qat"] = before.accuracy
    return {
        "accuracy": {
            "float": report.float_accuracy,
            "int8": report.accuracy,
            "interval": (report.low, report.high),
            **accuracy,
            "test_clips": report.clips,
            "left_out": report.learned,
            "part": TEST,
            "sources": [
                {"source": one.source, "test_clips": one.clips, "int8": one.accuracy}
                for one in report.sources
            ],
        },
        "confusion": report.confusion,
    }


def _counted(stage: str, on_progress: OnProgress) -> Callable[[int, int], None]:
    return lambda done, total: on_progress(Progress(stage, done, total))
