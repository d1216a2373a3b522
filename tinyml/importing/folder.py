"""Imports a file or a folder: finds recordings and their labels, names what is written, writes it.

Labels come from folders (`yes/1.flac`), else from the file itself (a column, a label track, an
export), else from names where all of them are a label and a number (`yes_1.mp3`), else from the
user. What is written lies in `TO/<label>/`; `imported.json` there lists what was done to each file.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tinyml import __version__, files, names
from tinyml.errors import ConfigError, DataError
from tinyml.importing import Imported, Refusal, Source, Wish, kinds

LIST = "imported.json"
_NUMBERED = re.compile(r"(?P<label>.*?[^\W\d_])[ ._-]*\(?\d+\)?")
_HIDDEN = (".", "__MACOSX")
_SIGNATURES = {".wav": b"RIFF"}

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Written:
    """A recording that was written: `file` as seen from the import's folder, and its source."""

    file: str
    source: str
    label: str
    done: tuple[str, ...]


@dataclass(frozen=True)
class Left:
    """A file, or part of one, that was left out, why, and the option that would help, or ""."""

    source: str
    why: str
    option: str


@dataclass(frozen=True)
class Import:
    """What came of an import. JSON document `tinyml.import/1` has exactly these fields."""

    source: str
    to: str
    kind: str
    written: tuple[Written, ...]
    left_out: tuple[Left, ...]

    @property
    def labels(self) -> Mapping[str, int]:
        """Label -> how many recordings of it were written."""
        counts: dict[str, int] = {}
        for recording in self.written:
            counts[recording.label] = counts.get(recording.label, 0) + 1
        return dict(sorted(counts.items()))


def run(
    source: Path,
    to: Path,
    wish: Wish,
    label: str = "",
    kind: str = "",
    on_progress: OnProgress | None = None,
) -> Import:
    """Import the recordings in `source`, a file or a folder, to the folder `to`.

    `label` is what files show that do not say it themselves; `kind` a name of `kinds`, or "" for
    that of most files. Raises DataError where there is nothing to import, ConfigError where a
    label is needed, or `to` holds another import or lies in `source`.
    """
    _check_target(source, to)
    sources = [replace(each, label=each.label or label) for each in _sources(source)]
    kind = kind or _kind(source, sources)
    chosen = kinds.load(kind)
    mine = [each for each in sources if each.path.suffix.lower() in chosen.SUFFIXES]
    if not mine:
        raise DataError(
            f"{source} has no files of {kind} ({' '.join(chosen.SUFFIXES)})",
            "see: tinyml import -h",
        )
    mine = _labelled_by_name(mine)
    with _whole(to) as work:
        written, left = _pieces(chosen.pieces(mine, wish), source, chosen.ENDING, work, len(mine),
                                on_progress)  # fmt: skip
        result = Import(
            names.shown(str(source)), names.shown(str(to)), kind, tuple(written), tuple(left)
        )
        if written:
            about = {"tinyml": __version__, **asdict(result)}
            files.write(work / LIST, json.dumps(about, indent=1, ensure_ascii=False) + "\n")
    return result


@contextlib.contextmanager
def _whole(to: Path) -> Iterator[Path]:
    """Yield a folder that becomes `to` at the end, if anything lies in it; else nothing is left."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{to.name[:40]}.", dir=to.parent) as folder:
        work = Path(folder, "imported")
        work.mkdir()
        yield work
        if any(work.iterdir()):
            if to.is_dir():
                to.rmdir()  # it is empty, see `_check_target`
            work.rename(to)


def _pieces(
    pieces: Iterable[Imported | Refusal],
    source: Path,
    ending: str,
    to: Path,
    total: int,
    on_progress: OnProgress | None,
) -> tuple[list[Written], list[Left]]:
    """Write `pieces` below the folder `to`; return what was written and what was left out."""
    written: list[Written] = []
    left: list[Left] = []
    taken: set[str] = set()
    done_files: set[Path] = set()
    for piece in pieces:
        shown = names.shown(str(piece.source.path))
        if isinstance(piece, Refusal):
            left.append(Left(shown, names.shown(piece.why), piece.option))
        elif not (of := piece.label or piece.source.label):
            left.append(Left(shown, "what it shows is not known", "--label LABEL"))
        else:
            file = _name(of, piece, source, ending, taken)
            target = to / file
            target.parent.mkdir(parents=True, exist_ok=True)
            piece.write(target)
            written.append(Written(file, shown, target.parent.name, piece.done))
        done_files.add(piece.source.path)
        if on_progress is not None:
            on_progress(len(done_files), total)
    return written, left


def _check_target(source: Path, to: Path) -> None:
    if not source.exists():
        raise DataError(f"{source} does not exist", "name a recording or a folder of them")
    if source.is_dir() and to.resolve().is_relative_to(source.resolve()):
        raise ConfigError(f"{to} lies in {source}", "name another folder with --to")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ConfigError(f"{to} is there already", "name a new folder with --to, or remove it")


def _sources(source: Path) -> list[Source]:
    """Return every file in `source` with the label that its folder says, or ""."""
    if source.is_file():
        return [Source(source)]
    found = []
    for file in sorted(source.rglob("*")):
        parts = file.relative_to(source).parts
        if file.is_file() and not any(part.startswith(_HIDDEN) for part in parts):
            found.append(Source(file, parts[0] if len(parts) > 1 else ""))
    return found


def _kind(source: Path, sources: Sequence[Source]) -> str:
    """Return the kind of most of the files; raises DataError where there are none of any."""
    counts = {
        name: sum(each.path.suffix.lower() in kinds.load(name).SUFFIXES for each in sources)
        for name in kinds.names()
    }
    best = max(counts, key=lambda name: counts[name])
    if not counts[best]:
        endings = sorted({suffix for name in counts for suffix in kinds.load(name).SUFFIXES})
        raise DataError(f"{source} has no recordings (files ending in {' '.join(endings)})")
    return best


def _labelled_by_name(sources: Sequence[Source]) -> list[Source]:
    """Return `sources` with labels from names where all that have none are a label and a number."""
    without = [each for each in sources if not each.label]
    named = {each.path: _NUMBERED.fullmatch(each.path.stem) for each in without}
    labels = {match["label"] for match in named.values() if match}
    if not all(named.values()) or len(labels) < 2:
        return list(sources)
    return [
        replace(each, label=match["label"]) if (match := named.get(each.path)) else each
        for each in sources
    ]


def _name(label: str, piece: Imported, source: Path, ending: str, taken: set[str]) -> str:
    """Return where a piece is written: `label/name.ending`, unique, of the source's own name."""
    try:
        folder = names.label(label)
    except ConfigError as error:
        raise DataError(f"{piece.source.path}: {error.message}", error.hint) from error
    if folder in (".", "..") or "/" in folder or "\\" in folder:
        raise DataError(f"{piece.source.path}: the label {folder!r} is no name of a folder")
    parts = (
        piece.source.path.relative_to(source).with_suffix("").parts[1:]
        if source.is_dir() and len(piece.source.path.relative_to(source).parts) > 1
        else (piece.source.path.stem,)
    )
    stem = re.sub(r"[^\w.+-]+", "_", names.shown("_".join(parts)))[:100] or "recording"
    number = f"_{piece.number}" if piece.number else ""
    name = f"{folder}/{stem}{number}{ending}"
    again = 1
    while name.lower() in taken:
        again += 1
        name = f"{folder}/{stem}{number}~{again}{ending}"
    taken.add(name.lower())
    return name
