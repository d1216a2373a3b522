"""The split that a model is trained with: a task's recordings in, training and validation out.

Usually recordings are divided into training, validation and test part. Where a word has so few that
none can be spared, and there is a pretrained network to start from (few-shot transfer learning),
all of them are for training, and how well the model does is estimated by cross-validation (see
`tinyml/training/transfer.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinyml.datasets import TEST, TRAIN, VALIDATION, Dataset, Recording, left_out, public, split
from tinyml.errors import ConfigError, DataError, ToolError
from tinyml.model import bundle as bundles
from tinyml.records import Bundle, Division
from tinyml.tasks import Examples, Task
from tinyml.training import AUTO, NONE, SHIPPED, Options, transfer

_FEWEST = 2  # recordings of a word
_OTHERS = 20  # voices, or performers, of synthetic recordings that are no word
_ENOUGH_OTHERS = 40  # recordings of a person's own that make synthetic ones unnecessary

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class FewShot:
    """Recordings so few that there is no test part.

    `words` are what is to be recognised, `others` what is none of it, and synthetic recordings of
    the words, `held_out` what is none of it and not trained on.
    """

    words: tuple[Recording, ...]
    others: tuple[Recording, ...]
    held_out: tuple[Recording, ...]


@dataclass(frozen=True)
class TrainingData:
    """Recordings as training takes them: those `trained_on`, and the `validation` part.

    `sources` pairs data sets with what they are used for; `division` is the card's `split`. `few`
    is None where there is a test part. `head_only`: there are too few to change more of `start`,
    the bundle that transfer learning begins with, than its last layer.
    """

    dataset: Dataset
    labels: tuple[str, ...]
    trained_on: tuple[Recording, ...]
    validation: tuple[Recording, ...]
    division: Division
    sources: tuple[tuple[Dataset, str], ...]
    start: Bundle | None = None
    few: FewShot | None = None
    head_only: bool = False
    notes: tuple[str, ...] = ()

    @property
    def seen(self) -> tuple[Recording, ...]:
        """What would leak into a test: recordings trained on, validated or estimated with."""
        estimated = () if self.few is None else self.dataset.recordings
        return (*self.trained_on, *self.validation, *estimated)


def prepare(
    task: Task, name: str, data: Path | None, options: Options, start: str, on_progress: OnProgress
) -> TrainingData:
    """Read or synthesize the recordings of the task called `name` and divide them.

    `start` is what training starts from: `none`, `shipped`, a bundle, or `auto`: the shipped model
    where a word has fewer than 50 recordings. Raises ConfigError or DataError where there is too
    little to learn from.
    """
    if data is None:
        if start not in (AUTO, NONE):
            raise ConfigError(
                f"--from {start} is for recordings of your own, and there is no --data",
                "name them: --data DIR",
            )
        dataset = task.synthesize(options.seed, on_progress)
    else:
        dataset = task.read(public.resolve(data, name, on_progress))
    fewest = _fewest(dataset)
    bundle = None
    if not dataset.stand_in:
        bundle = _start(name, start, fewest, options.width)
    if bundle is None or fewest >= transfer.HEAD_ONLY:
        return _divided(task, dataset, bundle, options, on_progress)
    whole_network = {
        "--qat": options.qat,
        "--teachers": options.teachers,
        "--learn-from": options.learn_from,
    }
    for option, value in whole_network.items():
        if value:
            raise ConfigError(
                f"{option} needs {transfer.HEAD_ONLY} recordings of each label, not {fewest}: with "
                f"fewer only the last layer of {bundle.name} is trained",
                f"leave {option} out, or train all of a network: --from none",
            )
    prepared = _few_shot if fewest < transfer.FEW_SHOT else _divided
    return replace(prepared(task, dataset, bundle, options, on_progress), head_only=True)


def examples(task: Task, recordings: Sequence[Recording], labels: Sequence[str]) -> Examples:
    """Return the examples of `recordings` without augmentation; there may be none.

    Their inputs are int8 [n, *task.input_shape], their targets indices of `labels`.
    """
    if not recordings:
        return Examples(np.zeros((0, *task.input_shape), np.int8), np.zeros(0, np.int64))
    return task.examples(recordings, labels)


def clips(dataset: Dataset) -> list[Recording]:
    """Return the recordings that are examples of their label."""
    return [recording for recording in dataset.recordings if not recording.long]


def _fewest(dataset: Dataset) -> int:
    counts = Counter(recording.label for recording in clips(dataset))
    return min((counts[word] for word in dataset.words), default=0)


def _start(name: str, start: str, fewest: int, width: float) -> Bundle | None:
    """Return the bundle that `start` names, where there is something to start from."""
    if start == NONE or (start == AUTO and fewest >= transfer.HEAD_ONLY):
        return None
    if start in (AUTO, SHIPPED):
        shipped = map(bundles.load, bundles.shipped())
        bundle = next((candidate for candidate in shipped if candidate.task == name), None)
        if bundle is None and start == AUTO:
            return None
        if bundle is None:
            raise ConfigError(f"no model for {name} is shipped", "name a bundle: --from DIR")
    else:
        bundle = bundles.load(start)
    problem = ""
    if bundle.task != name:
        problem = f"is a model for {bundle.task or 'no task'}, not for {name}"
    elif bundles.WEIGHTS not in bundle.card.files:
        problem = "has no float weights"
    elif bundle.card.width != width:
        problem = f"has --width {bundle.card.width}, not {width}"
    if problem and start == AUTO:
        return None
    if problem:
        raise ConfigError(
            f"training cannot start from {bundle.name}: it {problem}",
            "name another bundle with --from, or train from the start: --from none",
        )
    return bundle


def _divided(
    task: Task, dataset: Dataset, start: Bundle | None, options: Options, on_progress: OnProgress
) -> TrainingData:
    _check_others(dataset, start)
    divided = split(dataset)
    sources = [(dataset, "training, validation and test, divided as under split")]
    trained_on = list(divided.parts[TRAIN])
    if options.synthetic and not dataset.stand_in:
        added = task.additional(options.synthetic, options.seed, on_progress, dataset.words)
        trained_on += clips(added)
        sources.append((added, "training only"))
    return TrainingData(
        dataset=dataset,
        labels=dataset.labels,
        trained_on=tuple(trained_on),
        validation=tuple(divided.parts[VALIDATION]),
        division=Division(divided.rule, **divided.counts()),
        sources=tuple(sources),
        start=start,
    )


def _check_others(dataset: Dataset, start: Bundle | None) -> None:
    """Raise DataError where there is one class only: a word and nothing to tell it from.

    The replay buffer of what training starts from is something to tell it from.
    """
    if start is not None and bundles.REPLAY in start.card.files and dataset.words:
        return
    others = any(recording.label in dataset.background for recording in clips(dataset))
    if len(dataset.words) < 2 and not others:
        raise DataError(
            f"{dataset.source} has {len(dataset.words)} words, a model needs at least 2, "
            "or one and recordings of other words",
            "put other words into a folder _unknown_, or start from a model that knows some: "
            "--from shipped",
        )


def _check_twice(dataset: Dataset, words: Sequence[Recording]) -> None:
    """Raise DataError unless there are two recordings of each word: one to learn, one to judge."""
    counts = Counter(recording.label for recording in words)
    single = [word for word in dataset.words if counts[word] < _FEWEST]
    if single:
        raise DataError(
            f"{dataset.source}: of {', '.join(single)} there is one usable recording, too few to "
            f"learn from and to estimate how well{left_out(dataset)}",
            f"record each at least {_FEWEST} times, better 10",
        )


def _few_shot(
    task: Task, dataset: Dataset, start: Bundle, options: Options, on_progress: OnProgress
) -> TrainingData:
    words = tuple(one for one in clips(dataset) if one.label in dataset.words)
    _check_twice(dataset, words)
    others = [one for one in dataset.recordings if one.label in dataset.background]
    sources = [(dataset, "training, and an estimate by cross-validation")]
    parts: dict[str, list[Recording]] = {part: [] for part in (TRAIN, VALIDATION, TEST)}
    if others:
        divided = split(replace(dataset, recordings=tuple(others)))
        parts = {part: list(recordings) for part, recordings in divided.parts.items()}
    notes = []
    replays = bundles.REPLAY in start.card.files
    if not replays and len([one for one in others if not one.long]) < _ENOUGH_OTHERS:
        try:
            added = task.additional(_OTHERS, options.seed, on_progress, ())
        except ToolError as error:
            if not others:
                raise
            notes.append(f"what is no word is known from few recordings: {error.message}")
        else:
            sources.append((added, "training, as what is none of the words"))
            synthetic = split(added)
            parts = {part: [*parts[part], *synthetic.parts[part]] for part in parts}
    spared = [*parts[VALIDATION], *parts[TEST]]
    held_out = [recording for recording in spared if not recording.long]
    kept = [*parts[TRAIN], *(recording for recording in spared if recording.long)]
    spoken: list[Recording] = []
    if options.synthetic:
        made = task.additional(options.synthetic, options.seed, on_progress, dataset.words)
        sources.append((made, "training only"))
        spoken = [recording for recording in clips(made) if recording.label in dataset.words]
    return TrainingData(
        dataset=dataset,
        labels=dataset.labels,
        trained_on=(*words, *kept, *spoken),
        validation=(),
        division=Division(
            "too few recordings for a test part: all of them are for training; accuracy is "
            "an estimate by cross-validation, which says nothing about other people",
            train=dict(sorted(Counter(one.label for one in (*words, *kept)).items())),
            validation={},
            test={},
        ),
        sources=tuple(sources),
        start=start,
        few=FewShot(words, (*kept, *spoken), tuple(held_out)),
        notes=tuple(notes),
    )
