"""The page of `tinyml build`: what a firmware takes of its board's flash and RAM, and what most."""

from __future__ import annotations

from typing import Any

from tinyml.records import Firmware
from tinyml.report import parts
from tinyml.report.page import Facts, Page, Section, TestCase


def page(built: Firmware) -> Page:
    """Return the page of a firmware that was built here."""
    project = built.project
    return Page(
        name="build",
        title=f"{project.bundle.name} for {project.board.id}",
        headline=summary(built),
        identity=Facts((("firmware", str(built.elf)),)),
        sections=(
            *parts.firmware(built, detail=False),
            *parts.memory(project.source),
            *([Section("Check", (Facts((("checked", built.checked),)),))] if built.checked else ()),
        ),
        record=record(built),
        details=parts.details(project.bundle.sha256, built),
        cases=(TestCase("build", f"{project.bundle.name} is built for {project.board.id}"),),
        properties={"model": project.bundle.name, "board": project.board.id},
    )


def summary(built: Firmware) -> str:
    """Say in a line what the firmware takes of its board."""
    board, source = built.project.board, built.project.source
    return (
        f"flash {built.flash_bytes:,} of {board.flash_bytes:,} bytes, "
        f"RAM {built.ram_bytes:,} of {board.ram_bytes:,} "
        f"(arena {source.arena_bytes:,}, stack {built.stack_bytes:,})"
    )


def running(name: str, sha256: str, board: str, runtime: str) -> str:
    """Say what a board runs."""
    return f"{board} runs {name} ({sha256[:12]}) under the {runtime} runtime"


def record(built: Firmware) -> dict[str, Any]:
    """Return the content of the JSON documents `tinyml.build/1` and `tinyml.flash/1`."""
    project = built.project
    return {
        "model": project.bundle.name,
        "sha256": project.bundle.sha256,
        "board": project.board.id,
        "runtime": project.source.runtime,
        "project": project.path,
        "elf": built.elf,
        "flash_bytes": built.flash_bytes,
        "board_flash_bytes": project.board.flash_bytes,
        "constant_bytes": project.source.constant_bytes,
        "ram_bytes": built.ram_bytes,
        "board_ram_bytes": project.board.ram_bytes,
        "arena_bytes": project.source.arena_bytes,
        "arena_origin": project.source.arena_origin,
        "stack_bytes": built.stack_bytes,
        "contributors": built.contributors,
        "checked": built.checked,
    }
