"""The compiler checks itself: what differs is refused, what cannot be checked says why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml import runtimes
from tinyml.errors import EXIT_BUG, MiscompiledError
from tinyml.firmware import boards
from tinyml.measure import self_check
from tinyml.model import bundle
from tinyml.records import Bundle, CSource

pytestmark = pytest.mark.needs_cc
ADD = min((Path(__file__).parents[1] / "golden" / "add").glob("*.tflite"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def model() -> Bundle:
    return bundle.load(str(ADD))


def source_of(model: Bundle) -> CSource:
    return runtimes.load("compiled").generate(model, boards.load("qemu-m4"))


def test_right_c_is_known_to_be_right(model: Bundle, tmp_path: Path) -> None:
    source = source_of(model)
    said = self_check.run(model, source)
    assert said == "4 inferences on this computer equal the TFLM interpreter, generation 2026-10"
    (known,) = (tmp_path / "cache" / "checked").iterdir()
    known.write_text("what was found before")
    assert self_check.run(model, source) == "what was found before"


def test_the_golden_vectors_of_a_bundle_need_no_interpreter() -> None:
    gesture = bundle.load("gesture")
    said = self_check.run(gesture, source_of(gesture))
    assert said.endswith("inferences on this computer equal the bundle's golden vectors")


def test_wrong_c_is_refused(model: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Off(self_check.HostModel):
        def run(self, inputs: object) -> list[np.ndarray]:
            return [output ^ np.int8(1) for output in super().run(inputs)]  # type: ignore[arg-type]

    monkeypatch.setattr(self_check, "HostModel", Off)
    with pytest.raises(MiscompiledError, match=r"values of output 0 differ for the vector lowest"):
        self_check.run(model, source_of(model))
    assert MiscompiledError.exit_code == EXIT_BUG
    assert not (tmp_path / "cache" / "checked").exists()


def test_without_a_compiler_it_says_so(model: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert self_check.run(model, source_of(model)).startswith("not on this computer: ")


def test_another_generation_has_no_interpreter(model: Bundle) -> None:
    assert "as TFLM 2023" in self_check.run(model, source_of(model), "2023")
