"""All of `tinyml train`: a task and recordings in, a measured int8 bundle out."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tinyml import tasks
from tinyml.datasets import TEST
from tinyml.errors import DataError, ToolError
from tinyml.firmware import boards
from tinyml.measure import evaluate
from tinyml.model import bundle as bundles
from tinyml.model import leakage
from tinyml.records import Accuracy, Bundle, Card, SourceAccuracy
from tinyml.training import (
    DEFAULT_RUN,
    NONE,
    OnProgress,
    Options,
    Progress,
    RunOptions,
    distribution,
    fit,
    restore,
    split,
    teachers,
)
from tinyml.training.recipe import Recipe
from tinyml.training.split import TrainingData


def train(
    task_name: str,
    data: Path | None,
    out: Path,
    options: Options,
    on_progress: OnProgress,
    run_options: RunOptions = DEFAULT_RUN,
    start: str = NONE,
) -> Bundle | None:
    """Train, quantize and measure a model, and write it as a bundle into the folder `out`.

    Without `data` the recordings are synthesized, and the card says that the model is a stand-in.
    `start` is what training starts from, see `split.prepare`. After each epoch the state is kept
    beside `out` (see `checkpoint_path`); it stays when training is interrupted, for
    `run_options.resume`. Measured are only recordings of the test part, which nothing else sees. Of
    several workers only the chief writes and returns a bundle. Raises ConfigError, DataError or
    ToolError, and for wrong input before TensorFlow is loaded; `out` is written whole or not at
    all.
    """
    task = tasks.load(task_name)
    bundles.check_target(out)
    distribution.check(run_options.strategy, options.qat)
    training_data = split.prepare(
        task, task_name, data, options, start, _counted("making data", on_progress)
    )
    _check_start(training_data)
    ensemble = teachers.load(options.learn_from, training_data.labels)
    # TensorFlow loads here, when all that can be wrong with the input has been said.
    cluster = distribution.join(run_options.strategy)
    recipe = Recipe(task_name, task, training_data, options, ensemble)
    results = fit.fit(
        recipe.examples,
        recipe.stages(),
        options,
        run_options,
        cluster,
        checkpoint_path(out),
        recipe.identity(),
        on_progress,
    )
    if not cluster.chief:
        return None
    on_progress(Progress("quantizing", 0, 1))
    files, without_qat = recipe.files(results)
    card = recipe.card(out.name, files[bundles.MODEL], data)
    if training_data.few is not None:
        card = recipe.estimated(card, _counted("estimating", on_progress))
    else:
        card = _measured(card, files, without_qat, training_data, on_progress)
    card = replace(card, noise=recipe.noise(files[bundles.MODEL], results))
    bundle = bundles.save(out, card, files)
    checkpoint_path(out).unlink(missing_ok=True)
    return bundle


def _check_start(data: TrainingData) -> None:
    """Raise DataError now where what training starts from was trained on all that tests it."""
    if data.start is None or data.few is not None:
        return
    try:
        leakage.evaluation_set(data.start, data.dataset, TEST)
    except DataError as error:
        hint = "record others, or train from the start: --from none"
        raise DataError(error.message, hint) from error


def checkpoint_path(out: Path) -> Path:
    """Return the file beside the bundle folder `out` that keeps the state of its training."""
    return out.absolute().parent / f".{out.name}.training.npz"


def _measured(
    card: Card,
    files: dict[str, bytes],
    without_qat: bytes | None,
    data: TrainingData,
    on_progress: OnProgress,
) -> Card:
    """Return `card` with accuracy on the test part: float, int8, compiled for this host."""
    ticks = _counted("testing", on_progress)
    compiled = int8_without_qat = None
    with tempfile.TemporaryDirectory() as work:
        draft = bundles.save(Path(work, "draft"), card, files)
        report = evaluate.evaluate_dataset(
            draft, data.dataset, on_progress=ticks, floating=restore.float_accuracy
        )
        board = boards.load(boards.DEFAULT)
        with contextlib.suppress(ToolError):  # where there is no C compiler
            on_host = evaluate.evaluate_dataset(draft, data.dataset, evaluate.HOST, board=board)
            compiled = on_host.accuracy
        if without_qat is not None:
            plain = bundles.save(Path(work, "plain"), card, {**files, bundles.MODEL: without_qat})
            int8_without_qat = evaluate.evaluate_dataset(plain, data.dataset).accuracy
    accuracy = Accuracy(
        float_=report.float_accuracy,
        int8=report.accuracy,
        test_clips=report.clips,
        part=TEST,
        interval=(report.low, report.high),
        compiled=compiled,
        int8_without_qat=int8_without_qat,
        left_out=report.learned,
        sources=tuple(
            SourceAccuracy(each.source, each.clips, each.accuracy, (each.low, each.high))
            for each in report.sources
        ),
    )
    return replace(card, accuracy=accuracy, confusion=report.confusion)


def _counted(stage: str, on_progress: OnProgress) -> Callable[[int, int], None]:
    return lambda done, total: on_progress(Progress(stage, done, total))
