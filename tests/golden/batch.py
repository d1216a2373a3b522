"""Many models in one program: compiling, linking and starting each alone takes far longer."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyml import paths, proc
from tinyml.model import host_library
from tinyml.records import Board, Bundle, CSource
from tinyml.runtimes import load

Vector = Sequence[np.ndarray]
Answer = tuple[list[np.ndarray], list[bytes]]

_FOLDER = Path(__file__).parent / "cortex_m4"
_MODEL_H = paths.shared("firmware_templates") / "common" / "model.h"
_RUNNER = Path(host_library.__file__).with_name("host_runner.c")
_WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion")
_BOARD = Board(
    id="host", name="host", template="", cpu="", flash_bytes=0, ram_bytes=0, link="",
    timing="", runtime="compiled", options={}, path=Path(),
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """Where a batch runs: how it is compiled, and the command before the program's name."""

    compile: tuple[str | Path, ...]
    launch: tuple[str, ...] = ()


HOST = Target(
    ("cc", "-O1", "-g", "-fsanitize=address,undefined,float-cast-overflow",
     "-fno-sanitize-recover=all"),
)  # fmt: skip
# The DSP kernels, in QEMU; files are the host's, through semihosting.
CORTEX_M4 = Target(
    ("arm-none-eabi-gcc", "-O2", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard",
     "-mfpu=fpv4-sp-d16", "--specs=rdimon.specs", "-T", _FOLDER / "link.ld",
     _FOLDER / "startup.c"),
    ("qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none",
     "-serial", "none", "-semihosting-config", "enable=on,target=native", "-kernel"),
)  # fmt: skip


def generate(name: str, model: bytes) -> CSource:
    """Return what the compiled runtime makes of a `.tflite` file."""
    digest = hashlib.sha256(model).hexdigest()
    return load("compiled").generate(Bundle(name, model, digest, Path(name)), _BOARD)


def run(
    sources: Mapping[str, CSource], vectors: Mapping[str, Sequence[Vector]], target: Target = HOST
) -> dict[str, list[Answer]]:
    """Return, for each model and each vector of inputs, the outputs and the bytes of every step.

    The names must be C identifiers. Raises ToolError where the program does not compile, or a
    sanitizer finds something; the message shows it with the model's name.
    """
    binary = _build(_texts(sources), target)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model, rows in vectors.items():
            data = b"".join(array.tobytes() for row in rows for array in row)
            (folder / f"{model}.in").write_bytes(data)
        proc.run([*target.launch, binary], cwd=folder, timeout_s=300)
        return {
            model: _parse(sources[model], len(rows), (folder / f"{model}.out").read_bytes())
            for model, rows in vectors.items()
        }


def _parse(source: CSource, count: int, data: bytes) -> list[Answer]:
    sizes = [step.bytes for step in source.steps] + [info.bytes for info in source.outputs]
    parts = np.split(np.frombuffer(data, np.uint8), np.cumsum(sizes * count))
    assert parts.pop().size == 0
    steps = len(source.steps)
    answers = []
    for start in range(0, len(parts), len(sizes)):
        raw = parts[start + steps : start + len(sizes)]
        outputs = [
            part.view(info.dtype).reshape(info.shape)
            for info, part in zip(source.outputs, raw, strict=True)
        ]
        answers.append((outputs, [part.tobytes() for part in parts[start : start + steps]]))
    return answers


def _texts(sources: Mapping[str, CSource]) -> dict[str, str]:
    """The program's files: each model and its runner under names of their own, and a main."""
    public = sorted(set(re.findall(r"\btml_model_\w+(?=\()", _MODEL_H.read_text())))
    texts = {"model.h": _MODEL_H.read_text(), "host_runner.c": _RUNNER.read_text()}
    for model, source in sources.items():
        texts |= {f"{model}/{name}": text for name, text in source.files.items()}
        renames = [f"#define {name} {model}_{name}" for name in (*public, "main")]
        body = [*renames, f'#include "{model}/model.c"', '#include "host_runner.c"', ""]
        texts[f"{model}.c"] = "\n".join(body)
    texts["main.c"] = "\n".join(
        [
            *(f"int {model}_main(int, char **);" for model in sources),
            "int main(void) {",
            "  int status = 0;",
            *(
                f'  status |= {model}_main(3, (char *[]){{"", "{model}.in", "{model}.out"}});'
                for model in sources
            ),
            "  return status;",
            "}",
            "",
        ]
    )
    return texts


def _build(texts: Mapping[str, str], target: Target) -> Path:
    """Compile `texts` unless an equal set was compiled before; return the program."""
    startup = [path.read_bytes() for path in sorted(_FOLDER.iterdir())]
    identity = repr((target, _WARNINGS, startup, sorted(texts.items())))
    digest = hashlib.sha256(identity.encode()).hexdigest()
    binary = paths.cache() / "host" / f"batch-{digest[:32]}"
    if binary.is_file():
        return binary
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        for name, text in texts.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        units = sorted(name for name in texts if re.fullmatch(r"\w+\.c", name))
        units.remove(_RUNNER.name)
        command = [*target.compile, *_WARNINGS, "-I.", "-o", "built", *units]
        proc.run(command, cwd=Path(folder), timeout_s=600)
        Path(folder, "built").replace(binary)
    return binary
