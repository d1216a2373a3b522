"""Bundles on disk: a folder in, a checked `Bundle` out, and back. Runs and trains nothing.

A bundle is a folder with `card.json` (see `tinyml/model/card.py`), `model.tflite` (int8) and what
else the card lists: the float weights (`weights.npz`) or network (`float.tflite`), golden vectors
(`golden.npz`: in0, out0, ..., one row per vector), `memory.npz`, the latent replay buffer from
which transfer learning knows what is no new word, `heard.npy`, the digests of the recordings that
it learned from (see `tinyml/model/leakage.py`), and, in shipped ones, `examples/`.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from tinyml import paths
from tinyml.errors import ConfigError, ModelError, nearest
from tinyml.model import card as cards
from tinyml.model import names
from tinyml.records import Bundle, Card

CARD = "card.json"
MODEL = "model.tflite"
WEIGHTS = "weights.npz"
GOLDEN = "golden.npz"
FLOAT = "float.tflite"
REPLAY = "memory.npz"
DIGESTS = "heard.npy"
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
    known = shipped()
    if isinstance(model, str) and model in known:
        return _from_folder(paths.shared("models") / model)
    path = Path(model)
    if path.is_dir():
        return _from_folder(path)
    if path.is_file() or path.suffix == ".tflite":
        return _from_file(path)
    raise ConfigError(
        f"there is no model {str(model)!r}",
        f"{nearest(str(model), known)} (or give a bundle folder or a .tflite file)",
    )


def save(folder: Path, card: Card, files: Mapping[str, bytes]) -> Bundle:
    """Write a bundle into `folder` and return it as `load` would; all of it is written, or nothing.

    `files` maps paths inside the bundle to contents and must have `model.tflite`; `files` of the
    card is filled in here. A bundle that is already there is replaced. Raises
    ConfigError when `folder` holds anything else or cannot be written, ModelError for a card that
    makes no sense.
    """
    check_target(folder)
    hashes = {name: _sha256(files[name]) for name in sorted(files)}
    text = cards.text(replace(card, files=hashes))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name[:40]}-", dir=folder.parent) as work:
            fresh = Path(work, "new")
            for name, contents in {**files, CARD: text.encode()}.items():
                target = fresh / _inside(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(contents)
            bundle = _from_folder(fresh)
            _put(fresh, folder, Path(work, "old"))
    except OSError as error:
        raise _unwritable(folder, error) from error
    return replace(bundle, name=_name(folder), path=folder)


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
    return {name: (bundle.path / name).read_bytes() for name in bundle.card.files}


def _from_file(path: Path) -> Bundle:
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"cannot read {path}: {error.strerror or error}", "check the path; see: tinyml models"
        ) from error
    return Bundle(
        name=names.identifier(path.stem), model=contents, sha256=_sha256(contents), path=path
    )


def _from_folder(folder: Path) -> Bundle:
    path = folder / CARD
    if not path.is_file():
        raise ConfigError(
            f"{folder} is no bundle: it has no {CARD}",
            "give a folder that `tinyml train` wrote, a shipped name or a .tflite file",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read {path}: {error}", "train the model again") from error
    card = cards.parse(text, str(path))
    contents = _verified(folder, card)
    if MODEL not in contents:
        raise ModelError(f"{path} lists no {MODEL}", "train the model again")
    return Bundle(
        name=_name(folder),
        model=contents[MODEL],
        sha256=_sha256(contents[MODEL]),
        path=folder,
        task=card.task,
        labels=card.labels,
        features=card.features,
        stream=card.stream,
        card=card,
    )


def _name(folder: Path) -> str:
    """Return the name of a bundle: its folder's, so that a copy is another one."""
    return names.identifier(folder.resolve().name)


def _verified(folder: Path, card: Card) -> dict[str, bytes]:
    """Return the contents of the files that `card` lists; raises ModelError for an altered one."""
    contents = {}
    for name, expected in card.files.items():
        path = folder / _inside(name)
        try:
            contents[name] = path.read_bytes()
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error.strerror or error}", _RESTORE) from error
        if (digest := _sha256(contents[name])) != expected:
            raise ModelError(
                f"{path} is not the file its card describes: its SHA-256 is {digest[:16]}..., "
                f"the card says {expected[:16]}...",
                _RESTORE,
            )
    return contents


def _inside(name: str) -> PurePosixPath:
    """Return `name` as a path that stays inside the bundle; raises ModelError for any other."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ModelError(f"a bundle cannot have a file {name!r}")
    return path


def _existing_parent(folder: Path) -> Path:
    return next(parent for parent in folder.absolute().parents if parent.exists())


def _sha256(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    free = shutil.disk_usage(_existing_parent(folder)).free
    return ConfigError(
        f"cannot write the bundle {folder}: {error.strerror or error} ({free:,} bytes free there)",
        "name another folder with --out",
    )
