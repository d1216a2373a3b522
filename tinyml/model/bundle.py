"""Bundles on disk: a folder in, a checked `Bundle` out, and back. Runs and trains nothing.

A bundle is a folder with `card.json`, `model.tflite` (int8) and what else the card lists: the float
weights (`weights.npz`) or network (`float.tflite`), golden vectors (`golden.npz`: in0, out0, ...,
one row per vector), `memory.npz`, from which transfer knows what is no new word, `heard.npy`, by
which the recordings are known that it learned from (see `tinyml/model/leakage.py`), and, in
shipped ones, `examples/`. Card format 1 is a JSON object:

format        1
name, task    str; the task names a file of `tinyml/tasks`
labels        [str], in the order of the model's scores
features      {name, params: {str: number}}: the front end; null where the input is raw
stream        the fields of `StreamConfig`; null where the model is not used on streams
quantization  {input: {scale, zero_point}, output: {scale, zero_point}}
training      the options that made it (width, seed, epochs, ...); resume and transfer start from it
learned_from  [{name, sha256}]: models whose answers it was trained to give, besides labels
data          [{source, licence, clips, use}]: where every recording came from
split         {rule, train, validation, test}: how data was divided, and counts by label
skipped       [str]: recordings that were left out, or are odd, and why
accuracy      {float, int8, compiled, test_clips, part, ...}: fractions; `part` says of what;
              `compiled`: of the C of the compiled runtime on the host, null where nothing compiles
              C there, none by cross-validation; a board's is none of the card's: the model is the
              same there bit for bit, and `tinyml evaluate --on BOARD` measures it;
              `interval`: of the int8 accuracy, where it lies with 95 % confidence (Wilson);
              `left_out`: recordings of it that the model it started from had learned from;
              `sources`: of each source, where the data has several
estimate      the fields of `training.transfer.Estimate`, where there were too few recordings, and
              how many of them were `learned_before`, by what training started from
noise         [the fields of `sqnr.LayerNoise`]: what each layer loses as int8
confusion     {label said: {label recognised: count}}, int8 on the test recordings
mlperf        the MLPerf Tiny model it is; false for none; absent: see `tinyml/firmware/mlperf.py`
stand_in      true where the data was synthetic, so that the model only stands in for a real one
files         {path: sha256} of every other file of the bundle

Fields from `quantization` to `stand_in` are information for people and reports; readers must not
depend on any but `accuracy.int8` and `mlperf`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from tinyml import paths
from tinyml.errors import ConfigError, ModelError, nearest
from tinyml.records import Bundle, FeatureConfig, StreamConfig

FORMAT = 1
CARD = "card.json"
MODEL = "model.tflite"
WEIGHTS = "weights.npz"
GOLDEN = "golden.npz"
FLOAT = "float.tflite"
MEMORY = "memory.npz"
HEARD = "heard.npy"
_RESTORE = "restore the bundle, or give the .tflite file alone"


def shipped() -> list[str]:
    """Return the names of the bundles that travel with the package, sorted."""
    return sorted(card.parent.name for card in paths.shared("models").glob(f"*/{CARD}"))


def load(model: str | Path) -> Bundle:
    """Return the bundle that `model` names: a shipped name, a bundle folder or a `.tflite` file.

    A shipped name wins over a folder of that name here (write `./NAME` for the folder). A `.tflite`
    becomes a bundle without labels, features and stream; its contents are not checked here. Raises
    ConfigError for an unknown name (with the nearest ones) or a folder that is no bundle, and
    ModelError for a missing or altered file or a card that makes no sense.
    """
    names = shipped()
    if isinstance(model, str) and model in names:
        return _from_folder(paths.shared("models") / model)
    path = Path(model)
    if path.is_dir():
        return _from_folder(path)
    if path.is_file() or path.suffix == ".tflite":
        return _from_file(path)
    raise ConfigError(
        f"there is no model {str(model)!r}",
        f"{nearest(str(model), names)} (or give a bundle folder or a .tflite file)",
    )


def save(folder: Path, card: Mapping[str, Any], files: Mapping[str, bytes]) -> Bundle:
    """Write a bundle into `folder` and return it as `load` would; all of it is written, or nothing.

    `files` maps paths inside the bundle to contents and must have `model.tflite`; `format` and
    `files` of the card are filled in here. A bundle that is already there is replaced. Raises
    ConfigError when `folder` holds anything else or cannot be written.
    """
    check_target(folder)
    hashes = {name: _sha256(files[name]) for name in sorted(files)}
    full = {"format": FORMAT, **card} | {"format": FORMAT, "files": hashes}
    text = json.dumps(full, indent=1, ensure_ascii=False) + "\n"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as work:
            fresh = Path(work, "new")
            for name, contents in {**files, CARD: text.encode()}.items():
                target = fresh / _inside(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(contents)
            bundle = _from_folder(fresh)
            _put(fresh, folder, Path(work, "old"))
    except OSError as error:
        raise _unwritable(folder, error) from error
    return replace(bundle, path=folder)


def _put(fresh: Path, folder: Path, aside: Path) -> None:
    """Rename `fresh` to `folder`; what was there goes `aside`, and comes back where that fails."""
    existed = folder.exists()
    if existed:
        folder.rename(aside)
    try:
        fresh.rename(folder)
    except BaseException:
        if existed:
            aside.rename(folder)
        raise


def check_target(folder: Path) -> None:
    """Raise ConfigError now where `save` would refuse or fail to write `folder` later."""
    free = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    if not free and not (folder / CARD).is_file():
        raise ConfigError(
            f"{folder} exists and is no bundle (it has no {CARD})",
            "name another folder with --out",
        )
    try:
        with tempfile.TemporaryFile(dir=_existing_parent(folder)):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from error


def read_files(bundle: Bundle) -> dict[str, bytes]:
    """Return the contents of every file that the card of `bundle` lists, by its path inside it."""
    return {name: (bundle.path / name).read_bytes() for name in bundle.card.get("files", {})}


def _from_file(path: Path) -> Bundle:
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"cannot read {path}: {error.strerror or error}", "check the path; see: tinyml models"
        ) from error
    return Bundle(name=path.stem, model=contents, sha256=_sha256(contents), path=path)


def _from_folder(folder: Path) -> Bundle:
    path = folder / CARD
    if not path.is_file():
        raise ConfigError(
            f"{folder} is no bundle: it has no {CARD}",
            "give a folder that `tinyml train` wrote, a shipped name or a .tflite file",
        )
    card = _read_card(path)
    contents = _verified(folder, card)
    if MODEL not in contents:
        raise ModelError(f"{path} lists no {MODEL}", "train the model again")
    try:
        features, stream = card["features"], card["stream"]
        return Bundle(
            name=str(card["name"]),
            model=contents[MODEL],
            sha256=_sha256(contents[MODEL]),
            path=folder,
            task=str(card["task"]),
            labels=tuple(str(label) for label in card["labels"]),
            features=FeatureConfig(features["name"], features["params"]) if features else None,
            stream=_stream(stream) if stream else None,
            card=card,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path} makes no sense: {type(error).__name__}: {error}", "train the model again"
        ) from error


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read {path}: {error}", "train the model again") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        found = card.get("format") if isinstance(card, dict) else type(card).__name__
        raise ModelError(
            f"{path} has card format {found!r}; this tinyml reads {FORMAT}",
            "use the tinyml that wrote it, or train the model again",
        )
    return card


def _verified(folder: Path, card: Mapping[str, Any]) -> dict[str, bytes]:
    files = card.get("files")
    if not isinstance(files, dict):
        raise ModelError(f"{folder / CARD} lists no files", "train the model again")
    contents = {}
    for name, expected in files.items():
        path = folder / _inside(name)
        try:
            contents[name] = path.read_bytes()
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error.strerror or error}", _RESTORE) from error
        if (found := _sha256(contents[name])) != expected:
            raise ModelError(
                f"{path} is not the file its card describes: its SHA-256 is {found[:16]}..., "
                f"the card says {str(expected)[:16]}...",
                _RESTORE,
            )
    return contents


def _stream(fields: Mapping[str, Any]) -> StreamConfig:
    return StreamConfig(
        stride_frames=int(fields["stride_frames"]),
        average=int(fields["average"]),
        threshold=float(fields["threshold"]),
        refractory_ms=int(fields["refractory_ms"]),
        background=tuple(int(index) for index in fields["background"]),
        repeats=bool(fields.get("repeats", False)),
    )


def _inside(name: str) -> PurePosixPath:
    """Return `name` as a path that stays inside the bundle; raises ModelError for any other."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ModelError(f"a bundle cannot have a file {name!r}")
    return path


def _existing_parent(folder: Path) -> Path:
    return next(one for one in folder.absolute().parents if one.exists())


def _sha256(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    free = shutil.disk_usage(_existing_parent(folder)).free
    return ConfigError(
        f"cannot write the bundle {folder}: {error.strerror or error} ({free:,} bytes free there)",
        "name another folder with --out",
    )
