"""Built models in, what differs between the sanitized host build and the oracle out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from batch import Batch, generate
from builder import ModelBuilder

from tinyml.errors import UnsupportedOpError
from tinyml.oracle import Oracle

_RANDOM_VECTORS = 2


def compare(models: Sequence[ModelBuilder]) -> dict[str, str | None]:
    """Return for each model the first difference in an output or step, or None.

    A model that the compiler refuses as unsupported is left out.
    """
    files = {model.name: model.bytes() for model in models}
    sources = {}
    for name, data in files.items():
        try:
            sources[name] = generate(name, data)
        except UnsupportedOpError:
            continue
    batch = Batch(sources)
    return {
        model.name: _difference(batch, model, files[model.name])
        for model in models
        if model.name in sources
    }


def _difference(batch: Batch, model: ModelBuilder, data: bytes) -> str | None:
    source = batch.source(model.name)
    oracle = Oracle(data, model.name)
    vectors = list(zip(*model.vectors(_RANDOM_VECTORS), strict=True))
    for row, (outputs, steps) in enumerate(batch.run(model.name, vectors)):
        wanted, tensors = oracle.run_all(vectors[row])
        for step, got in zip(source.steps, steps, strict=True):
            expected = tensors[step.tensor_index]
            if got != expected.tobytes():
                count = np.count_nonzero(
                    np.frombuffer(got, np.uint8) != np.frombuffer(expected.tobytes(), np.uint8)
                )
                return f"vector {row}: {count} bytes of {len(got)} differ after {step}"
        for index, (output, expected) in enumerate(zip(outputs, wanted, strict=True)):
            if output.tobytes() != expected.tobytes():
                return f"vector {row}: output {index} differs"
    return None
