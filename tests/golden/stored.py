"""The committed models of one operator, compiled and run, against the committed vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from batch import Answer, Target, generate, run

from tinyml.model.tensor_diff import computed
from tinyml.records import CSource

GOLDEN = Path(__file__).parent
FOLDERS = sorted({path.parent for path in GOLDEN.glob("*/*.tflite")})


def mismatches(folder: Path, target: Target) -> list[str]:
    """Return a line for every output or step of a vector that is not bit for bit the stored one."""
    sources, expected, vectors = {}, {}, {}
    for path in sorted(folder.glob("*.tflite")):
        name = path.stem
        source = sources[name] = generate(name, path.read_bytes())
        arrays = expected[name] = dict(np.load(path.with_suffix(".npz")))
        inputs = [arrays[f"in{index}"] for index in range(len(source.inputs))]
        vectors[name] = list(zip(*inputs, strict=True))
        assert vectors[name], f"{path} has no vectors"
    answers = run(sources, vectors, target)
    return [
        f"{name}, vector {row}: {problem}"
        for name, source in sources.items()
        for row, answer in enumerate(answers[name])
        for problem in _problems(source, answer, expected[name], row)
    ]


def _problems(
    source: CSource, answer: Answer, expected: dict[str, np.ndarray], row: int
) -> list[str]:
    outputs, steps = answer
    problems = []
    for index, output in enumerate(outputs):
        wanted = expected[f"out{index}"][row]
        assert output.dtype == wanted.dtype
        if output.tobytes() != wanted.tobytes():
            count = np.count_nonzero(output.reshape(-1) != wanted.reshape(-1))
            problems.append(f"{count} of {wanted.size} elements of output {index} differ")
    for step, data in zip(source.steps, steps, strict=True):
        key = f"tensor{step.tensor_index}"
        if key in expected and data != computed(expected[key][row], step.channels).tobytes():
            problems.append(f"{step} differs")
    return problems
