"""The page of an import: recordings by label, what was done to them, and what was left out."""

from __future__ import annotations

from collections import Counter

from tinyml.importing.folder import Import
from tinyml.report.page import Block, Facts, Note, Page, Section, table

_SHOWN = 12  # rows of a kind; the list of files has all of them


def page(result: Import) -> Page:
    """Return the page of what was imported."""
    labels = table(
        ("label", "recordings"), [(label, f"{n:,}") for label, n in result.labels.items()],
        right=("recordings",),
    )  # fmt: skip
    done = Counter(step for recording in result.written for step in recording.done)
    sections = [Section("Recordings", (labels,))]
    if done:
        rows = [(step, f"{count:,}") for step, count in done.most_common(_SHOWN)]
        blocks: list[Block] = [table(("what was done", "recordings"), rows, right=("recordings",))]
        if len(done) > _SHOWN:
            blocks.append(Note(f"and {len(done) - _SHOWN:,} more kinds, see imported.json"))
        sections.append(Section("What was done", tuple(blocks)))
    if result.left_out:
        sections.append(Section("Left out", _left_out(result)))
    sections.append(Section("What next", (Note(f"train on it: {_command(result)}"),)))
    facts = [("from", result.source), ("to", result.to), ("kind", result.kind)]
    return Page(
        name="import",
        title=f"{result.source}, imported",
        identity=Facts(tuple(facts)),
        sections=tuple(sections),
        record={
            "source": result.source, "to": result.to, "kind": result.kind,
            "labels": result.labels, "written": result.written, "left_out": result.left_out,
        },
    )  # fmt: skip


def _left_out(result: Import) -> tuple[Block, ...]:
    notes = [
        Note(f"left out: {left.source}: {left.why}{f' ({left.option})' if left.option else ''}")
        for left in result.left_out[:_SHOWN]
    ]
    if (hidden := len(result.left_out) - _SHOWN) > 0:
        notes.append(Note(f"and {hidden:,} more, see {result.to}/imported.json"))
    return tuple(notes)


def _command(result: Import) -> str:
    task = {"sound": "keyword_spotting", "motion": "gesture", "picture": "person_detection"}
    return f"tinyml train {task.get(result.kind, 'TASK')} --data {result.to}"
