"""Bundles: what is saved comes back, and nothing wrong or half-written is accepted."""

from __future__ import annotations

import json
import resource
import shutil
from pathlib import Path
from typing import Any

import pytest

from tinyml import features
from tinyml.datasets import clips
from tinyml.errors import ConfigError, ModelError
from tinyml.model import bundle, card

DOCUMENT: dict[str, Any] = {
    "name": "words",
    "task": "keyword_spotting",
    "labels": ["silence", "unknown", "yes"],
    "features": {"name": "audio", "params": {"stride_ms": 20}},
    "stream": {
        "stride_frames": 5,
        "average": 3,
        "threshold": 0.5,
        "refractory_ms": 700,
        "background": [0, 1],
    },
}
CARD = card.of(DOCUMENT)
FILES = {"model.tflite": b"model", "examples/yes.wav": b"sound"}


def test_saved_bundle_comes_back(tmp_path: Path) -> None:
    saved = bundle.save(tmp_path / "out", CARD, FILES)
    loaded = bundle.load(tmp_path / "out")
    assert loaded == saved
    assert loaded.labels == ("silence", "unknown", "yes")
    assert loaded.features is not None
    assert loaded.features.params["stride_ms"] == 20
    assert loaded.stream is not None
    assert loaded.stream.background == (0, 1)
    assert bundle.read_files(loaded) == FILES


def test_bundle_is_replaced_whole(tmp_path: Path) -> None:
    bundle.save(tmp_path / "out", CARD, FILES)
    bundle.save(tmp_path / "out", CARD, {"model.tflite": b"other"})
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["card.json", "model.tflite"]
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_the_old_bundle_survives_a_failed_replacement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bundle.save(tmp_path / "out", CARD, FILES)
    rename = Path.rename

    def refuse_the_new(source: Path, target: Path) -> Path:
        if source.name == "new":
            raise OSError(28, "No space left on device")
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", refuse_the_new)
    with pytest.raises(ConfigError, match="No space left"):
        bundle.save(tmp_path / "out", CARD, {"model.tflite": b"other"})
    assert bundle.load(tmp_path / "out") == before
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_foreign_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is no bundle"):
        bundle.save(tmp_path, CARD, FILES)
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "nonsense", [{}, {**DOCUMENT, "labels": 3}, {**DOCUMENT, "stream": {"average": 1}}]
)
def test_nonsense_card_is_not_saved(tmp_path: Path, nonsense: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="makes no sense"):
        bundle.save(tmp_path / "out", card.of(nonsense), FILES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../model.tflite", "/etc/model", ""])
def test_file_outside_the_bundle_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="cannot have a file"):
        bundle.save(tmp_path / "out", CARD, {**FILES, name: b""})
    assert list(tmp_path.iterdir()) == []


def test_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(ConfigError, match="cannot write the bundle"):
            bundle.save(tmp_path / "out", CARD, {"model.tflite": bytes(10000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file/out", "/proc/out"])
def test_place_that_cannot_be_written_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    for function in (bundle.check_target, lambda out: bundle.save(out, CARD, FILES)):
        with pytest.raises(ConfigError, match="cannot write the bundle"):
            function(tmp_path / place)


def test_altered_file_is_found(tmp_path: Path) -> None:
    bundle.save(tmp_path / "out", CARD, FILES)
    (tmp_path / "out" / "examples" / "yes.wav").write_bytes(b"noise")
    with pytest.raises(ModelError, match=r"yes\.wav is not the file its card describes"):
        bundle.load(tmp_path / "out")


def test_missing_file_is_found(tmp_path: Path) -> None:
    bundle.save(tmp_path / "out", CARD, FILES)
    (tmp_path / "out" / "model.tflite").unlink()
    with pytest.raises(ModelError, match=r"cannot read .*model\.tflite"):
        bundle.load(tmp_path / "out")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}', '{"format": 1, "files": 3}'])
def test_damaged_card_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(ModelError, match=r"card\.json"):
        bundle.load(tmp_path)


def test_folder_without_card_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no card\.json"):
        bundle.load(tmp_path)


def test_bare_model_has_no_labels(tmp_path: Path) -> None:
    (tmp_path / "some.tflite").write_bytes(b"model")
    loaded = bundle.load(tmp_path / "some.tflite")
    assert (loaded.name, loaded.model, loaded.labels) == ("some", b"model", ())
    assert loaded.features is None
    assert loaded.stream is None


def test_missing_model_is_named() -> None:
    with pytest.raises(ModelError, match=r"nothing\.tflite"):
        bundle.load("nothing.tflite")


def test_unknown_name_comes_back_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="keyword_spoting") as caught:
        bundle.load("keyword_spoting")
    assert "did you mean keyword_spotting?" in caught.value.hint


@pytest.mark.parametrize("name", bundle.shipped())
def test_shipped_bundle_loads(name: str) -> None:
    loaded = bundle.load(name)
    assert loaded.name == name
    assert loaded.card.files.keys() >= {"model.tflite", "golden.npz"}
    listed = {loaded.path / file for file in loaded.card.files} | {loaded.path / "card.json"}
    assert {file for file in loaded.path.rglob("*") if file.is_file()} == listed


@pytest.mark.parametrize("name", bundle.shipped())
def test_shipped_card_says_where_the_model_comes_from_and_how_well_it_does(name: str) -> None:
    shipped = bundle.load(name).card
    assert shipped.data
    assert all(source.source and source.licence for source in shipped.data)
    assert shipped.split is not None
    assert shipped.split.rule
    assert shipped.confusion is not None
    assert set(shipped.confusion) == set(shipped.labels)
    right = sum(row.get(label, 0) for label, row in shipped.confusion.items())
    clips = sum(sum(row.values()) for row in shipped.confusion.values())
    assert shipped.accuracy is not None
    assert clips == shipped.accuracy.test_clips
    assert shipped.accuracy.int8 == pytest.approx(right / clips)
    assert "weights.npz" in shipped.files


@pytest.mark.parametrize("name", bundle.shipped())
def test_shipped_examples_have_every_label_but_the_first(name: str) -> None:
    loaded = bundle.load(name)
    assert loaded.features is not None
    front_end = features.load(loaded.features)
    found = clips.load([loaded.path / "examples"], front_end)
    assert {clip.said for clip in found} >= set(loaded.labels[1:])
    assert {clip.said for clip in found} <= set(loaded.labels)
    assert all(len(clip.samples) >= front_end.rate_hz for clip in found)


def test_card_is_deterministic_json(tmp_path: Path) -> None:
    texts = []
    for name in ("a", "b"):
        bundle.save(tmp_path / name, CARD, FILES)
        texts.append((tmp_path / name / "card.json").read_text())
    assert texts[0] == texts[1]
    assert json.loads(texts[0])["files"].keys() == FILES.keys()


def test_a_copied_bundle_has_its_folders_name(tmp_path: Path) -> None:
    bundle.save(tmp_path / "out", CARD, FILES)
    shutil.copytree(tmp_path / "out", tmp_path / "copy")
    assert bundle.load(tmp_path / "copy").name == "copy"
