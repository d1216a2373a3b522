"""The compiler checks itself: generated C, run on this computer, against what TFLM computes.

Every model that is built is checked with a few vectors before anybody flashes it: its bundle's
golden vectors, whose answers are the interpreter's, else drawn ones that the interpreter answers
now. What was checked once is known by its content and not checked again.
"""

from __future__ import annotations

import hashlib

import numpy as np

from tinyml import __version__, files, paths, runtimes
from tinyml.errors import MiscompiledError, TinymlError, ToolError
from tinyml.measure import reference
from tinyml.model import bundle as bundles
from tinyml.model import generations, npz, vectors
from tinyml.model.host_library import Array, HostModel
from tinyml.records import Bundle, CSource

_VECTORS = 4  # lowest, highest and two random ones


def run(bundle: Bundle, source: CSource, generation: str | None = None) -> str:
    """Return what the C of `source` was checked with, or why it was not, in a sentence.

    `generation`: the TFLM whose arithmetic was asked for, None for the oracle's. Raises
    MiscompiledError where an output differs.
    """
    if not runtimes.load(source.runtime).stands_alone:
        return ""
    if source.slot is not None:
        return "not on this computer: the model can be exchanged"
    if generation not in (None, generations.REFERENCE.name):
        return f"not on this computer: no interpreter computes as TFLM {generation}"
    digest = hashlib.sha256(
        repr((__version__, bundle.sha256, sorted(source.files.items()))).encode()
    )
    known = paths.cache() / "checked" / digest.hexdigest()[:32]
    if known.is_file():
        return known.read_text(encoding="utf-8")
    try:
        said = _compared(bundle, source)
    except MiscompiledError:
        raise
    except TinymlError as error:  # no compiler here, or no interpreter that runs the model
        return f"not on this computer: {error.message}"
    known.parent.mkdir(parents=True, exist_ok=True)
    files.write(known, said)
    return said


def _compared(bundle: Bundle, source: CSource) -> str:
    host = HostModel(source)
    pairs, with_what = _answers(bundle, source)
    for name, inputs, expected in pairs:
        for index, (wanted, got) in enumerate(zip(expected, host.run(inputs), strict=True)):
            different = int(np.count_nonzero(wanted.reshape(-1) != got.reshape(-1)))
            if different:
                raise MiscompiledError(
                    f"the C of {bundle.name} computes something else than TFLM: {different:,} of "
                    f"{got.size:,} values of output {index} differ for the vector {name}",
                    "this is a bug in tinyml: report it with the model; --runtime tflm runs it",
                )
    return f"{len(pairs)} inferences on this computer equal {with_what}"


def _answers(
    bundle: Bundle, source: CSource
) -> tuple[list[tuple[str, list[Array], list[Array]]], str]:
    """Return (name, inputs, outputs) of each vector, and whose answers they are."""
    drawn = vectors.default(bundle, source.inputs, _VECTORS, seed=1)
    golden = bundle.path / bundles.GOLDEN
    if bundle.path.is_dir() and golden.is_file():
        stored = npz.arrays(golden)
        outputs = [stored[f"out{index}"] for index in range(len(source.outputs))]
        answers = [[output[number] for output in outputs] for number in range(len(drawn))]
        said = "the bundle's golden vectors"
    else:
        model, said = reference.load(bundle)
        if model.graph.keeps_state:
            raise ToolError("its model keeps state between inferences")
        answers = [model.step(vector.arrays) for vector in drawn]
        said = f"the {said}"
    return [
        (vector.name, vector.arrays, answer) for vector, answer in zip(drawn, answers, strict=True)
    ], said
