"""Renders firmware: bundle, board and runtime in, a PlatformIO project that stands alone out.

Every file of a template folder goes where its folder's rule says; names ending in `.j2` are
rendered. All logic is here or in `config`: templates only insert values and repeat lines.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tinyml import __version__, files, paths, runtimes
from tinyml.compiler import c_prefix
from tinyml.errors import ConfigError
from tinyml.firmware import arduino_sketch, c_library, origin, templates
from tinyml.firmware.config import FirmwareConfig
from tinyml.firmware.plan import BuildPlan
from tinyml.protocol import as_c, frames, messages
from tinyml.records import Board, Bundle, CSource, Project

MANIFEST = "tinyml.json"
_FORMAT = 1
_PROJECT = "a PlatformIO project"  # whose model and board `origin` knows


def generate(plan: BuildPlan, out: Path, force: bool = False) -> Project:
    """Write the project of `plan` into the folder `out`, or bring it up to date.

    Equal input gives equal bytes: no dates, no absolute paths. Files of an earlier project there
    are replaced one by one and only where they differ, so builds stay incremental and files of
    others survive. Raises ConfigError, with nothing written, when `out` is a folder that is not
    such a project, holds generated files that were edited since, or, without `force`, holds
    something else that was generated: a sketch, or a library.
    """
    project = c_prefix.renamed(render(plan), plan.prefix)
    try:
        _write(project, out, _PROJECT, force)
        _link(out / "lib" / plan.source.runtime / "tree", plan.source.library)
    except OSError as error:
        raise _not_written(out, error) from error
    return Project(out, plan.board, plan.bundle, plan.source)


def _not_written(out: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"cannot write the project into {out}: {error.strerror or error}",
        "name another folder with --out",
    )


def generate_sketch(plan: BuildPlan, out: Path, force: bool = False) -> Path:
    """Write the Arduino sketch of `plan` into the folder `out`; return its .ino file.

    As `generate`, in every other respect. Raises ConfigError for a board or a runtime of which no
    sketch can be made, and for a folder whose name the IDE does not take.
    """
    name = out.resolve().name
    arduino_sketch.require(plan.board, plan.source, name)
    context = _context(plan)
    context["libraries"] = arduino_sketch.libraries(context["options"])
    sketch = arduino_sketch.arrange(render(plan))
    folder = paths.shared("firmware_templates") / "arduino_sketch"
    for file, target in (("README.md.j2", "README.md"), ("sketch.ino.j2", f"{name}.ino")):
        sketch[target] = templates.render(folder / file, context)
    sketch = c_prefix.renamed(sketch, plan.prefix)
    try:
        holds = f"the Arduino sketch of {plan.bundle.name} for {plan.board.id}"
        _write(dict(sorted(sketch.items())), out, holds, force)
    except OSError as error:
        raise _not_written(out, error) from error
    return out / f"{name}.ino"


def generate_library(
    bundle: Bundle, source: CSource, form: str, prefix: str, out: Path, force: bool = False
) -> Path:
    """Write the model of `bundle` as a C library of the format `form` into `out`; return `out`.

    As `generate`, in every other respect; see `c_library.render`.
    """
    library = c_library.render(bundle, source, form, prefix)
    try:
        _write(library, out, f"the {form} library of {bundle.name}", force)
    except OSError as error:
        raise _not_written(out, error) from error
    return out


def render(plan: BuildPlan) -> dict[str, bytes]:
    """Return every file of the project: path relative to it -> contents."""
    context = _context(plan)
    rendered = {f"src/model/{name}": text.encode() for name, text in plan.source.files.items()}
    for target, file in _templates(plan):
        if target.endswith(templates.SUFFIX):
            rendered[target.removesuffix(templates.SUFFIX)] = templates.render(file, context)
        else:
            rendered[target] = file.read_bytes()
    return dict(sorted(rendered.items()))


def _context(plan: BuildPlan) -> dict[str, Any]:
    """Return what templates may insert."""
    bundle, board, source, sensor = plan.bundle, plan.board, plan.source, plan.sensor
    return {
        "board": board,
        "options": _merged(
            board.options,
            source.options,
            sensor.options if sensor else {},
            _of_every_project(board),
        ),
        "sensor": sensor.name if sensor else "",
        "consent": sensor.consent if sensor else "",
        "bundle": bundle,
        "source": source,
        "config": FirmwareConfig(plan),
        "protocol": messages,
        "protocol_c": as_c,
        "wire": frames,
        "version": __version__,
        "generated": (
            f"tinyml {__version__}, model {bundle.name} {bundle.sha256[:16]}, "
            f"runtime {source.runtime}, board {board.id}: generated, do not edit"
        ),
    }


def _of_every_project(board: Board) -> Mapping[str, str]:
    """Return the PlatformIO options that do not depend on model, runtime or sensor."""
    strict = " -Werror" if board.own_platform else ""
    return {"build_src_flags": f"-Wall -Wextra{strict}", "extra_scripts": "pre:build_rules.py"}


def _merged(*options: Mapping[str, str]) -> dict[str, str]:
    """Return PlatformIO options of several origins as one: values of the same name add up."""
    merged: dict[str, str] = {}
    for name, value in (item for each in options for item in each.items()):
        merged[name] = f"{merged[name]}\n{value}" if name in merged else value
    return merged


def _templates(plan: BuildPlan) -> Iterator[tuple[str, Path]]:
    """Yield (path in the project, file) of everything that is copied or rendered."""
    bundle, board, source, sensor = plan.bundle, plan.board, plan.source, plan.sensor
    root = paths.shared("firmware_templates")
    folders = {"": root / "project", "src/app": root / "common"}
    folders["src/board"] = root / board.template
    if bundle.features is not None and sensor is not None:
        folders["src/stream"] = root / "stream"
        folders["src/front_end"] = root / "front_ends" / bundle.features.name
        yield from _feature_sources(bundle.features.name)
        yield from ((f"src/sensor/{file.name}", file) for file in sensor.sources)
        if not sensor.is_virtual:
            yield from _tree("src/sensor", root / "board_sensor")
    if source.slot is not None:
        folders["src/slot"] = root / "slot"
    if plan.profile is not None:
        folders["src/text"] = root / "mlperf"
    for target, folder in folders.items():
        if not folder.is_dir():
            raise ConfigError(
                f"this tinyml has no firmware templates in {folder}",
                f"boards/{board.id}.ini and the model's card name what must exist there",
            )
        yield from _tree(target, folder)
    yield from _runtime_templates(board, source, root)
    platforms = paths.shared("platforms")
    if (platforms / board.template).is_dir():
        yield from _tree(f"platforms/{board.template}", platforms / board.template)
        for shared in sorted(platforms.glob("*.py")):
            yield f"platforms/{shared.name}", shared


def _runtime_templates(board: Board, source: CSource, root: Path) -> Iterator[tuple[str, Path]]:
    """Yield what is the same for every model of a runtime, and how to build its library."""
    yield from _tree("src/model", root / source.runtime)
    library = root / f"{source.runtime}_library"
    if source.library is not None:
        yield from _tree(f"lib/{source.runtime}", library)
    elif "lib_deps" in source.options and library.is_dir():
        yield from _tree("download", library)
        yield from _tree("download", root / f"{source.runtime}_download")
    elif library.is_dir():
        needed = runtimes.load(source.runtime).library
        raise ConfigError(
            f"the {source.runtime} runtime needs its library, and {board.id} names none",
            f"name a folder that has it with {needed.option if needed else ''} DIR, or use "
            f"--runtime {runtimes.standing_alone()}",
        )


def _link(link: Path, target: Path | None) -> None:
    """Make `link` lead to `target`, or nowhere."""
    if link.is_symlink() and (target is None or link.readlink() != target):
        link.unlink()
    if target is not None and not link.is_symlink():
        link.symlink_to(target, target_is_directory=True)


def _feature_sources(name: str) -> Iterator[tuple[str, Path]]:
    folder = paths.shared("features")
    for pattern in (f"{name}*.[ch]", "recognizer.[ch]", "tml_dsp.h"):
        for file in folder.glob(pattern):
            yield f"src/features/{file.name}", file


def _tree(target: str, folder: Path) -> Iterator[tuple[str, Path]]:
    for file in folder.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            yield str(Path(target) / file.relative_to(folder).as_posix()), file


def _write(project: Mapping[str, bytes], out: Path, holds: str, force: bool) -> None:
    hashes = {name: [hashlib.sha256(contents).hexdigest()] for name, contents in project.items()}
    previous = _previous(out)
    before = _holds(out)
    if before not in ("", holds) and not force:
        raise ConfigError(
            f"{out} holds {before}, not {holds}",
            "add --force to replace it, or name another folder with --out",
        )
    _refuse_edited(out, previous, hashes)
    out.mkdir(parents=True, exist_ok=True)
    # While files change, both of their versions count as ours: an interrupted run can be repeated.
    both = {name: previous.get(name, []) + hashes.get(name, []) for name in {*previous, *hashes}}
    files.write(out / MANIFEST, _manifest(both, holds))
    for name, contents in project.items():
        file = out / name
        if not file.is_file() or file.read_bytes() != contents:
            file.parent.mkdir(parents=True, exist_ok=True)
            files.write(file, contents)
    for name in previous.keys() - hashes.keys():
        (out / name).unlink(missing_ok=True)
    files.write(out / MANIFEST, _manifest(hashes, holds))


def _manifest(hashes: Mapping[str, list[str]], holds: str) -> bytes:
    content = {
        "format": _FORMAT,
        "tinyml": __version__,
        "holds": holds,
        "files": dict(sorted(hashes.items())),
    }
    return (json.dumps(content, indent=1) + "\n").encode()


def _previous(out: Path) -> dict[str, list[str]]:
    """Return the files of the project in `out` with their possible hashes; none if it is new."""
    if not out.exists():
        return {}
    try:
        manifest = json.loads((out / MANIFEST).read_bytes())
        known = {str(name): list(hashes) for name, hashes in manifest["files"].items()}
        if manifest["format"] == _FORMAT and all(_is_inside(Path(name)) for name in known):
            return known
    except FileNotFoundError:
        if not any(out.iterdir()):
            return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ConfigError(
        f"{out} is not empty and is not a project that this tinyml generated",
        "name a new folder with --out",
    )


def _holds(out: Path) -> str:
    """Return what was generated into `out`, in words; "" where nothing was."""
    try:
        return str(json.loads((out / MANIFEST).read_bytes()).get("holds", _PROJECT))
    except (OSError, ValueError, AttributeError):
        return ""


def _is_inside(path: Path) -> bool:
    """Whether a path relative to a folder stays inside it."""
    return not path.is_absolute() and ".." not in path.parts


def files_of_users(out: Path) -> list[str]:
    """Return what in the project folder `out` is not as it was generated: changed or added files.

    What PlatformIO and editors keep there (folders whose names begin with a dot) does not count.
    """
    previous = _previous(out)
    known = {*previous, MANIFEST, origin.FILE}
    added = [
        name
        for file in sorted(out.rglob("*"))
        if not file.is_dir() and not file.is_symlink()
        if (name := file.relative_to(out).as_posix()) not in known and not name.startswith(".")
    ]
    return [*_edited(out, previous, {}), *added]


def _edited(
    out: Path, previous: Mapping[str, list[str]], hashes: Mapping[str, list[str]]
) -> list[str]:
    """Return the files in `out` that are neither as they were nor as they will be."""
    return [
        name
        for name in sorted({*previous, *hashes})
        if (out / name).is_file()
        and hashlib.sha256((out / name).read_bytes()).hexdigest()
        not in previous.get(name, []) + hashes.get(name, [])
    ]


def _refuse_edited(
    out: Path, previous: Mapping[str, list[str]], hashes: Mapping[str, list[str]]
) -> None:
    if edited := _edited(out, previous, hashes):
        raise ConfigError(
            f"{out} has files that were changed since they were generated: {', '.join(edited)}",
            "name a new folder with --out, or delete those files to have them generated again",
        )
