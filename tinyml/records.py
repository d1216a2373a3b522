"""The frozen records that pass between the rooms of the pipeline; no behaviour but derived values.

Task -> Dataset -> Keras model -> Bundle -> Graph -> CSource
     -> Project -> Firmware -> Link -> Reading -> Report
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Dtype:
    """How one element is stored, and what it is called in C.

    `bytes`: of one element. `c_type`: in C99; a bool is a byte of 0 or 1. `suffix`: of the names of
    kernels that work on it. `number`: its `tml_dtype_t` in model.h, which is its TensorType in the
    TFLite schema; -1 for a dtype that inputs and outputs of a model cannot have.
    """

    bytes: int
    c_type: str
    suffix: str
    number: int = -1


# Every dtype that is stored here, by the name that numpy and, in upper case, the TFLite schema use.
DTYPES: Mapping[str, Dtype] = {
    "bool": Dtype(1, "uint8_t", "b8", 6),
    "int8": Dtype(1, "int8_t", "s8", 9),
    "uint8": Dtype(1, "uint8_t", "u8", 3),
    "int16": Dtype(2, "int16_t", "s16", 7),
    "uint16": Dtype(2, "uint16_t", "u16"),
    "int32": Dtype(4, "int32_t", "s32", 2),
    "uint32": Dtype(4, "uint32_t", "u32"),
    "int64": Dtype(8, "int64_t", "s64", 4),
    "float32": Dtype(4, "float", "f32", 0),
}


@dataclass(frozen=True)
class TensorInfo:
    """A tensor as the outside sees it.

    `real = (quantized - zero_point) * scale`; a scale of 0.0 means not quantized.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float = 0.0
    zero_point: int = 0

    @property
    def bytes(self) -> int:
        """Size of the whole tensor in bytes."""
        return math.prod(self.shape) * DTYPES[self.dtype].bytes


@dataclass(frozen=True)
class FeatureConfig:
    """The front end between sensor and model: a file of `tinyml/features` and its settings."""

    name: str
    params: Mapping[str, int | float]


@dataclass(frozen=True)
class StreamConfig:
    """How a device turns a stream of scores into events: see `tinyml/features/recognizer.h`.

    `stride_frames`: feature frames between two inferences. `average`: inferences averaged.
    `threshold`: averaged score an event needs, 0..1. `refractory_ms`: silence after an event.
    `background`: indices of labels that never make an event (silence, unknown). `repeats`: every
    inference sees something new, so a label may make events one after the other.
    """

    stride_frames: int
    average: int
    threshold: float
    refractory_ms: int
    background: tuple[int, ...] = ()
    repeats: bool = False


@dataclass(frozen=True)
class Quantization:
    """How a tensor's int8 stand for real numbers: `real = (int8 - zero_point) * scale`."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class ModelReference:
    """Another model by its name and the SHA-256, in hex, of its `.tflite`."""

    name: str
    sha256: str


@dataclass(frozen=True)
class DataSource:
    """Where recordings came from, how many `clips` there were, and what they were used for."""

    source: str
    licence: str
    clips: int
    use: str


@dataclass(frozen=True)
class Division:
    """How recordings were divided: the rule in words, and counts by label in each part.

    A part is None where there is none, as in a bundle that `tinyml quantize` wrote.
    """

    rule: str
    train: Mapping[str, int] | None = None
    validation: Mapping[str, int] | None = None
    test: Mapping[str, int] | None = None


@dataclass(frozen=True)
class SourceAccuracy:
    """The int8 accuracy, 0..1, on the `test_clips` test recordings of one data source.

    `interval`: where it lies with 95 % confidence (Wilson 1927).
    """

    source: str
    test_clips: int
    int8: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Accuracy:
    """Accuracy as a bundle's card states it: shares of 1, None where it was not measured.

    `part` says of which `test_clips` recordings. `compiled`: of the C of the compiled runtime on
    the host. `interval`: where the int8 accuracy lies with 95 % confidence (Wilson 1927).
    `left_out`: recordings of the part that the model it started from had learned from.
    `sources`: of each source, where the data has several.
    """

    float_: float | None
    int8: float | None
    test_clips: int
    part: str
    interval: tuple[float, float] | None = None
    compiled: float | None = None
    int8_without_qat: float | None = None
    left_out: int | None = None
    sources: tuple[SourceAccuracy, ...] | None = None


@dataclass(frozen=True)
class LearningPoint:
    """`right`: share of left-out recordings that heads recognise, trained on `recordings` each."""

    recordings: int
    right: float


@dataclass(frozen=True)
class Estimate:
    """What cross-validation says of a head on a frozen body, as shares of 1.

    `right` and `right_int8`: of `clips` recordings, each judged by a head not trained on it;
    `false_accepts`: of `others`, held-out sounds or motions that are no word, those taken for one.
    `curve`: the same with fewer recordings of each word; `doubled`: what twice as many would give,
    None where the curve does not say, or not that they would help. `learned_before`: how many of
    the recordings training started from had learned; None where its bundle does not say.
    """

    clips: int
    right: float
    right_int8: float
    others: int
    false_accepts: float
    curve: tuple[LearningPoint, ...]
    doubled: float | None
    learned_before: int | None = None


@dataclass(frozen=True)
class LayerNoise:
    """What int8 loses in one layer, operator `index` of the `.tflite`.

    `sqnr_db`: signal to all quantization noise so far, in dB; None where there is no noise.
    `added`: noise as a share of the signal that its inputs did not have. `clipped`: share of values
    that the range of its int8 does not reach, by more than a step.
    """

    index: int
    operator: str
    tensor: str
    sqnr_db: float | None
    added: float
    clipped: float


@dataclass(frozen=True)
class Card:
    """What a bundle says of its model: the document `card.json`, see `tinyml/model/card.py`.

    `labels` are in the order of the model's scores. `training`: the options that made it, from
    which resume and transfer start. `confusion`: label said -> label recognised -> clips.
    `mlperf`: the MLPerf Tiny model it is; False for none; None where the tensors decide.
    `stand_in`: whether it learned from synthetic data only. `verdict`: in one line, what users can
    expect of it. `untested`: what nobody measured it on. `files`: the SHA-256, in hex, of every
    other file by its path in the bundle. `extra`: keys that this version does not know, kept.
    """

    name: str = ""
    task: str = ""
    labels: tuple[str, ...] = ()
    features: FeatureConfig | None = None
    stream: StreamConfig | None = None
    quantization: Mapping[str, Quantization] | None = None
    training: Mapping[str, Any] | None = None
    learned_from: tuple[ModelReference, ...] | None = None
    data: tuple[DataSource, ...] | None = None
    split: Division | None = None
    skipped: tuple[str, ...] | None = None
    stand_in: bool | None = None
    accuracy: Accuracy | None = None
    estimate: Estimate | None = None
    confusion: Mapping[str, Mapping[str, int]] | None = None
    noise: tuple[LayerNoise, ...] | None = None
    mlperf: str | bool | None = None
    verdict: str | None = None
    untested: tuple[str, ...] | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def width(self) -> float | None:
        """The factor on the network's channels that it was trained with; None if not stated."""
        width = (self.training or {}).get("width")
        return float(width) if isinstance(width, int | float) else None


@dataclass(frozen=True)
class Bundle:
    """A model with what is known about it; a bare `.tflite` has no labels, features or stream."""

    name: str
    model: bytes
    sha256: str
    path: Path
    task: str = ""
    labels: tuple[str, ...] = ()
    features: FeatureConfig | None = None
    stream: StreamConfig | None = None
    card: Card = field(default_factory=Card)


@dataclass(frozen=True)
class Board:
    """A board file `boards/<id>.ini`: PlatformIO options plus the `custom_` fields, read by both.

    `flash_bytes`/`ram_bytes` are what the application may use; `link` names a file of
    `tinyml/device/kinds`. `timing`: "instructions" or "cycles". `shared_memory`: one memory of
    `ram_bytes` holds code and constants as well as data.
    `stack_bytes`: of the application's stack, where the board's system allocates it at run time;
    `stack_symbol`: the variable that is that stack, where the system has it among its own.
    """

    id: str
    name: str
    template: str
    cpu: str
    flash_bytes: int
    ram_bytes: int
    link: str
    timing: str
    runtime: str
    options: Mapping[str, str]
    path: Path
    shared_memory: bool = False
    stack_bytes: int = 0
    stack_symbol: str = ""

    @property
    def own_platform(self) -> bool:
        """Whether its PlatformIO platform is one of ours, which travels with every project."""
        return self.options.get("platform", "").startswith("symlink://")


@dataclass(frozen=True)
class Step:
    """One result that exists at run time: which operator and tensor of the `.tflite` it is.

    `channels` lists the computed channels (last axis), in buffer order; None means all of them.
    """

    op_index: int
    op_name: str
    tensor_index: int
    tensor_name: str
    bytes: int
    channels: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Decision:
    """How a step is computed: its kernel, and in words what was decided and why.

    `channels` of the tensor's `all_channels` are computed; the others are constant or unread.
    """

    op_index: int
    op_name: str
    kernel: str
    note: str
    channels: int
    all_channels: int


@dataclass(frozen=True)
class Folded:
    """An operator of the `.tflite` that does not exist at run time, and why."""

    op_index: int
    op_name: str
    reason: str


@dataclass(frozen=True)
class Placement:
    """Where a tensor, or the scratch memory of a step, lies in the arena, and when.

    It holds `bytes` from `offset` on, from step `first` to step `last`, both included; -1 means
    before the first step (an input), and the number of steps after the last (an output).
    """

    name: str
    offset: int
    bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class RuntimeOptions:
    """What a user may ask of a runtime.

    `library`: a folder with the runtime's library, instead of the one PlatformIO would download.
    `arena_bytes`: the arena to reserve, instead of the runtime's own choice. `measured`: whether
    that choice may be what was measured of builds with the board file's options.
    `slot`: whether the model can be exchanged on the running device; `slot_bytes`: the largest one,
    where a runtime takes others than of the same structure.
    `generation`: that of TFLM whose arithmetic to compute, see `tinyml.model.generations`; None for
    the oracle's. `prefix`: how every name in the project's C begins, see
    `tinyml.compiler.c_prefix`.
    """

    library: Path | None = None
    arena_bytes: int | None = None
    measured: bool = True
    slot: bool = False
    slot_bytes: int | None = None
    generation: str | None = None
    prefix: str = "tml_"


DEFAULT_OPTIONS = RuntimeOptions()

ARENA_ORIGINS: Mapping[str, str] = {
    "planned": "exact",
    "measured": "measured",
    "bound": "an upper bound: tinyml build --fit measures what is needed",
    "given": "as given",
}


@dataclass(frozen=True)
class ModelSlot:
    """How a model can be exchanged on a running device.

    `structure`: SHA-256, in hex, of what a model must have in common with the firmware to fit.
    `room`: bytes that the device keeps for a model. `block`: what is sent to it for this one.
    """

    structure: str
    room: int
    block: bytes


@dataclass(frozen=True)
class CSource:
    """What a runtime generates: the implementation of `model.h` for one model.

    `files`: path relative to the project's `src/model` -> text. `options`: PlatformIO options to
    add. `arena_bytes`: activations and scratch; `arena_origin`: how that is known, one of
    ARENA_ORIGINS. `constant_bytes`: weights and tables in flash.
    `facts`: what the runtime's own templates in `firmware_templates/<runtime>` insert.
    `library`: a folder that the project links to as `lib/<runtime>/tree`.
    `functions`: how names of functions begin that the firmware must have, lest it be slow.
    `decisions`: how each step is computed, where the runtime decides that beforehand.
    `memory`: what lies where in the arena, where the runtime plans it; by time, then by offset.
    `slot`: None where the firmware has none. `generation`: that of TFLM whose arithmetic it
    computes, as `tinyml/model/generations.py` names it; "" where that is not known.
    """

    runtime: str
    files: Mapping[str, str]
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    steps: tuple[Step, ...]
    folded: tuple[Folded, ...]
    arena_bytes: int
    constant_bytes: int
    options: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    arena_origin: str = "planned"
    library: Path | None = None
    functions: tuple[str, ...] = ()
    memory: tuple[Placement, ...] = ()
    decisions: tuple[Decision, ...] = ()
    slot: ModelSlot | None = None
    generation: str = ""

    @property
    def arena_exact(self) -> bool:
        """Whether the model needs just these bytes of arena."""
        return self.arena_origin in ("planned", "measured")


@dataclass(frozen=True)
class Project:
    """A generated PlatformIO project: `path/platformio.ini` with the one environment `board.id`."""

    path: Path
    board: Board
    bundle: Bundle
    source: CSource


@dataclass(frozen=True)
class Firmware:
    """A built project.

    `flash_bytes`: everything stored in flash. `ram_bytes`: static RAM, stack reserve included, and
    on a board with one memory for all, code and constants too.
    `contributors`: the largest symbols as (name, section, bytes), largest first. `checked`: what
    its C was compared with on this computer, or why not, in words; "" where nobody asked.
    """

    project: Project
    elf: Path
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    contributors: tuple[tuple[str, str, int], ...] = ()
    checked: str = ""
