"""Models in, what differs between their compiled C and the oracle out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from batch import HOST, Answer, Target, Vector, generate, run
from builder import ModelBuilder

from tinyml.errors import UnsupportedOpError
from tinyml.model.host_library import HostModel
from tinyml.model.oracle import Oracle
from tinyml.model.tensor_diff import computed
from tinyml.records import CSource

_RANDOM_VECTORS = 6


def compare(models: Sequence[ModelBuilder], target: Target = HOST) -> dict[str, str | None]:
    """Return for each model the first difference in an output or step, or None.

    A model that the compiler refuses as unsupported is left out.
    """
    files = {model.name: model.bytes() for model in models}
    sources: dict[str, CSource] = {}
    vectors: dict[str, list[Vector]] = {}
    for model in models:
        try:
            sources[model.name] = generate(model.name, files[model.name])
        except UnsupportedOpError:
            continue
        vectors[model.name] = list(zip(*model.vectors(_RANDOM_VECTORS), strict=True))
    answers = run(sources, vectors, target)
    return {
        name: difference(source, Oracle(files[name], name), vectors[name], answers[name])
        for name, source in sources.items()
    }


def difference(
    source: CSource, oracle: Oracle, vectors: Sequence[Vector], answers: Sequence[Answer]
) -> str | None:
    """Return the first step or output that is not the oracle's, in words, or None."""
    for row, (inputs, (outputs, steps)) in enumerate(zip(vectors, answers, strict=True)):
        wanted, tensors = oracle.run_all(inputs)
        for step, got in zip(source.steps, steps, strict=True):
            expected = computed(tensors[step.tensor_index], step.channels).tobytes()
            if got != expected:
                pair = (np.frombuffer(data, np.uint8) for data in (got, expected))
                count = np.count_nonzero(np.not_equal(*pair))
                return f"vector {row}: {count} bytes of {len(got)} differ after {step}"
        for index, (output, value) in enumerate(zip(outputs, wanted, strict=True)):
            if output.tobytes() != value.tobytes():
                return f"vector {row}: output {index} differs"
    return None


def inputs_that_differ(name: str, model: bytes, count: int, seed: int = 0) -> Iterator[int]:
    """Yield the numbers of those of `count` random inputs on which host build and oracle differ.

    Raises UnsupportedOpError for a model that the compiler refuses.
    """
    host, oracle = HostModel(generate(name, model)), Oracle(model, name)
    rng = np.random.default_rng(seed)
    for number in range(count):
        inputs = [_random(rng, tensor.shape, np.dtype(tensor.dtype)) for tensor in oracle.inputs]
        pairs = zip(host.run(inputs), oracle.run(inputs), strict=True)
        if any(got.tobytes() != want.tobytes() for got, want in pairs):
            yield number


def _random(
    rng: np.random.Generator, shape: Sequence[int], dtype: np.dtype[np.generic]
) -> np.ndarray:
    """Noise over the whole range or a part of it, around any level: quiet inputs saturate less."""
    if dtype.kind == "f":
        return (rng.normal(size=shape) * 10 ** rng.uniform(-2, 2)).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    limits = np.iinfo(dtype)
    level = rng.integers(limits.min, limits.max + 1)
    reach = (limits.max - limits.min) * 2.0 ** -rng.integers(0, 8)
    noise = level + rng.uniform(-reach, reach, shape)
    return np.clip(np.rint(noise), limits.min, limits.max).astype(dtype)
