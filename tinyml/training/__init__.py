"""Recordings to a network and its int8 `.tflite`; the only room of TensorFlow.

TensorFlow is imported inside functions, so that importing this room costs nothing. Models are
tf_keras (Keras 2) models: quantization-aware training needs them.

`split` divides recordings, `recipe` says in which stages a network is trained, `fit` goes through
them, each with a `Learner`, and keeps its state in a `checkpoint`; `distill` and `teachers` are the
teachers of student/teacher distillation, `transfer` and `latent_replay` start from a pretrained
network; `quantize` and `qat` make int8 of what it learned. `importers` take networks of one's own.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyml import extras, quiet
from tinyml.errors import ConfigError, ToolError

INSTALL = extras.install("train")
WIDTHS = (0.1, 8.0)  # least and greatest factor on a network's channels
AUTO, NONE, SHIPPED = "auto", "none", "shipped"  # what training may start from, or a bundle


@dataclass(frozen=True)
class Options:
    """What a person may choose; equal options and data give the same model on one machine.

    `variants` is how many times each clip is augmented anew: epoch n sees variant n modulo it, with
    other masks. `synthetic` recordings per label are made and added to the training part. So
    many `teachers`, wider networks, learn first; the student then learns from them (distillation),
    and from the finished models that `learn_from` names. `qat` adds epochs of quantization-aware
    training. Raises ConfigError for a value out of range.
    """

    epochs: int = 60
    batch_size: int = 64
    seed: int = 1
    width: float = 1.0
    learning_rate: float = 3e-3
    variants: int = 12
    synthetic: int = 0
    teachers: int = 0
    learn_from: tuple[str, ...] = ()
    qat: bool = False

    def __post_init__(self) -> None:
        ranges = {
            "epochs": (1, 10000), "batch_size": (1, 4096), "seed": (0, 2**31 - 1),
            "width": WIDTHS, "learning_rate": (1e-6, 1), "variants": (1, 1000),
            "synthetic": (0, 10000), "teachers": (0, 16),
        }  # fmt: skip
        for name, (least, most) in ranges.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise ConfigError(
                    f"{name} is {value}, not {least} to {most}", "see: tinyml train --help"
                )

    def document(self) -> dict[str, Any]:
        """Return the options by name, as JSON has them; of models' paths the last part."""
        return {**asdict(self), "learn_from": [Path(name).name for name in self.learn_from]}


@dataclass(frozen=True)
class RunOptions:
    """How training is run; none of it changes what is learned.

    `resume` continues an interrupted run. `tensorboard` is a folder for event files. `strategy`
    says on how many machines or chips: see `tinyml/training/distribution.py`.
    """

    resume: bool = False
    tensorboard: Path | None = None
    strategy: str = "none"


DEFAULT_RUN = RunOptions()


@dataclass(frozen=True)
class Progress:
    """How far a long job is: `done` of `total` of its `stage`, and what is known so far.

    Of a stage that learns, a unit is an epoch, and `loss` is its mean. `note` is to be read also
    when the job is over.
    """

    stage: str
    done: int
    total: int
    loss: float | None = None
    accuracy: float | None = None
    seconds_left: float | None = None
    note: str = ""


OnProgress = Callable[[Progress], None]


def tensorflow() -> Any:
    """Return the tensorflow module with its log off; raises ToolError where it is missing."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with silenced():
            import tensorflow
            import tf_keras  # noqa: F401
    except ImportError as error:
        raise ToolError(f"training needs TensorFlow and tf_keras ({error})", INSTALL) from error
    tensorflow.get_logger().setLevel("ERROR")
    return tensorflow


@contextmanager
def silenced() -> Iterator[None]:
    """Drop Python warnings and what C++ code writes to file descriptor 2; exceptions still come.

    Where it ends the process, the place is shown.
    """
    with quiet.held(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
