"""Many models in one sanitized host program: compiling and linking each alone takes far longer."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tinyml import hostlib, paths, proc
from tinyml.records import Board, Bundle, CSource
from tinyml.runtimes import load

FLAGS = (
    "-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion",
    "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all",
)  # fmt: skip
BOARD = Board(
    id="host", name="host", template="", cpu="", flash_bytes=0, ram_bytes=0, link="", settle_s=0,
    timing="", runtime="compiled", options={}, path=Path(),
)  # fmt: skip
_MODEL_H = paths.shared("firmware_templates") / "common" / "model.h"
_RUNNER = Path(hostlib.__file__).with_name("host_runner.c")


def generate(name: str, model: bytes) -> CSource:
    """Return what the compiled runtime makes of a `.tflite` file."""
    digest = hashlib.sha256(model).hexdigest()
    return load("compiled").generate(Bundle(name, model, digest, Path(name)), BOARD)


class Batch:
    """Models by name, compiled into one program under AddressSanitizer and UBSan."""

    def __init__(self, sources: Mapping[str, CSource]) -> None:
        self._sources = sources
        self._order = list(sources)
        self._binary = _build(_texts(list(sources.values())))

    def source(self, name: str) -> CSource:
        """Return the generated source of a model."""
        return self._sources[name]

    def run(
        self, name: str, vectors: Sequence[Sequence[np.ndarray]]
    ) -> list[tuple[list[np.ndarray], list[bytes]]]:
        """Return the outputs and the bytes of every step for each vector of inputs."""
        source = self._sources[name]
        with tempfile.TemporaryDirectory() as folder:
            inputs, results = Path(folder, "inputs"), Path(folder, "results")
            inputs.write_bytes(b"".join(array.tobytes() for row in vectors for array in row))
            index = self._order.index(name)
            proc.run([self._binary, str(index), inputs, results], timeout_s=120)
            data = results.read_bytes()
        sizes = [step.bytes for step in source.steps] + [info.bytes for info in source.outputs]
        parts = np.split(np.frombuffer(data, np.uint8), np.cumsum(sizes * len(vectors)))
        assert parts.pop().size == 0
        steps, width = len(source.steps), len(sizes)
        answers = []
        for start in range(0, len(parts), width):
            outputs = [
                part.view(info.dtype).reshape(info.shape)
                for info, part in zip(
                    source.outputs, parts[start + steps : start + width], strict=True
                )
            ]
            answers.append((outputs, [part.tobytes() for part in parts[start : start + steps]]))
        return answers


def _texts(sources: Sequence[CSource]) -> dict[str, str]:
    """The program's files: each model and its runner under names of their own, and a main."""
    public = sorted(set(re.findall(r"\btml_model_\w+(?=\()", _MODEL_H.read_text())))
    texts = {"model.h": _MODEL_H.read_text(), "host_runner.c": _RUNNER.read_text()}
    cases = []
    for index, source in enumerate(sources):
        texts |= {f"m{index}/{name}": text for name, text in source.files.items()}
        renames = [f"#define {name} m{index}_{name}" for name in (*public, "main")]
        body = [*renames, f'#include "m{index}/model.c"', '#include "host_runner.c"', ""]
        texts[f"unit{index}.c"] = "\n".join(body)
        cases.append(f"  if (which == {index}) return m{index}_main(argc - 1, argv + 1);")
    declarations = [f"int m{index}_main(int, char **);" for index in range(len(sources))]
    texts["main.c"] = "\n".join(
        ["#include <stdlib.h>", *declarations, "int main(int argc, char **argv) {",
         "  const int which = atoi(argv[1]);", *cases, "  return 2;", "}", ""]
    )  # fmt: skip
    return texts


def _build(texts: Mapping[str, str]) -> Path:
    """Compile `texts` unless an equal set was compiled before; return the program."""
    digest = hashlib.sha256(repr((FLAGS, sorted(texts.items()))).encode()).hexdigest()
    binary = paths.cache() / "host" / f"batch-{digest[:32]}"
    if binary.is_file():
        return binary
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        for name, text in texts.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        units = sorted(name for name in texts if re.fullmatch(r"(unit\d+|main)\.c", name))
        proc.run(["cc", *FLAGS, "-I.", "-o", "built", *units], cwd=Path(folder))
        Path(folder, "built").replace(binary)
    return binary
