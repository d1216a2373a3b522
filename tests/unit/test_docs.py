"""README, CONTRIBUTING and docs agree with the code, as far as can be seen without running any."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import doc_pages
import doc_runs
import pytest

from tinyml import cli, tasks
from tinyml.firmware import boards
from tinyml.records import Card

PAGES = doc_pages.pages()
MOST_BYTES = 12_000  # of the README, so that it stays a beginning


def name(page: Path) -> str:
    return str(page.relative_to(doc_pages.ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_a_page_names_is_there(page: Path) -> None:
    assert doc_pages.problems(page) == []


def test_the_readme_is_short() -> None:
    assert (doc_pages.ROOT / "README.md").stat().st_size <= MOST_BYTES


def test_every_page_can_be_found_from_the_index() -> None:
    index = (doc_pages.ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [page for page in PAGES if page.is_relative_to(doc_pages.ROOT / "docs")]
    linked = {str(page.relative_to(doc_pages.ROOT / "docs")) for page in pages} - {"README.md"}
    assert {page for page in linked if f"({page})" not in index} == set()


def test_every_verb_board_and_task_is_described() -> None:
    docs = doc_pages.ROOT / "docs"
    commands = (docs / "commands.md").read_text(encoding="utf-8")
    described = sorted(re.findall(r"^\| `tinyml (\w+)", commands, re.M))
    assert described == sorted(cli.names())
    shown = "".join(page.read_text(encoding="utf-8") for page in (docs / "boards").glob("*.md"))
    assert [board for board in boards.names() if f"`{board}`" not in shown] == []
    assert {page.stem for page in (docs / "tasks").glob("*.md")} == set(tasks.names())


def test_every_field_of_a_card_is_described() -> None:
    page = (doc_pages.ROOT / "docs" / "bundle.md").read_text(encoding="utf-8")
    fields = {field.name for field in dataclasses.fields(Card)} - {"extra"}
    assert [field for field in sorted(fields) if f"`{field}`" not in page] == []


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page in which nothing is right."""
    monkeypatch.setattr(doc_pages, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "# Title\n"
        "```sh\ntinyml inspect --bord qemu-m4\n```\n"
        "1. In a list:\n\n   ```sh soon\n   tinyml models | tinyml modles\n   ```\n\n"
        "Or:\n\n    tinyml nothing\n\n"
        "Say `tinyml boards --joson` and `--nonsense`, see [there](there.md), [here](#nowhere),\n"
        "[this](page.md#title) and `tinyml/nothing.py`; `tinyml train --epochs N` goes on.\n"
        "`tinyml.records.Board` is a class, `tinyml.records.Bored` or `tinyml.nowhere.X` none.\n"
        "<!-- table: rooms -->\nof old\n<!-- end -->\n"
    )
    return page


def test_what_is_wrong_is_found(wrong: Path) -> None:
    found = doc_pages.problems(wrong)
    assert [problem.partition(": ")[2] for problem in found] == [
        "tinyml inspect --bord qemu-m4: unrecognized arguments: --bord",
        "unknown fence: sh {'soon'}",
        "tinyml modles: unknown command 'modles'",
        "a command in no fence: tinyml nothing",
        "tinyml boards --joson: unrecognized arguments: --joson",
        "there is no option --joson",
        "there is no option --nonsense",
        "there is no tinyml/nothing.py",
        "there is no tinyml.records.Bored",
        "there is no tinyml.nowhere.X",
        "broken link there.md",
        "broken link #nowhere",
        "scripts/check_docs --write",
    ]
    doc_pages.write_tables(wrong)
    assert doc_pages.problems(wrong) == found[:-1]


@pytest.mark.parametrize(
    ("shown", "printed", "said"),
    [
        (["a", "b"], ["a", "b"], None),
        (["a", "..."], ["a", "b", "c"], None),
        (["...", "c"], ["a", "b", "c"], None),
        (["a", "...", "c"], ["a", "c"], None),
        (["took 3.4 s"], ["took 12 s"], None),
        (["a", "c"], ["a", "b", "c"], "not printed: c"),
        (["a"], ["a", "b"], "not shown: b"),
        (["a", "b"], ["a"], "not printed: b"),
        (["4 bytes"], ["5 bytes"], "not printed: 4 bytes"),
        (["...", "b", "a"], ["a", "b"], "not printed: a"),
    ],
)
def test_what_is_printed_is_compared(
    shown: list[str], printed: list[str], said: str | None
) -> None:
    found = doc_runs.difference(shown, printed, ["took"])
    assert found == said if said is None else (found or "").startswith(said)


def test_a_session_is_commands_and_what_they_print(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- setup: touch a -->\n<!-- varies: size, time -->\n"
        "```console long\n$ first\nx\n\n$ second\n```\n```sh\nthird \\\n  goes on\n# nothing\n```\n"
    )
    session, script = doc_pages.blocks(page)
    assert (session.setup, session.varies) == ("touch a", ("size", "time"))
    assert session.marks == {"long"}
    assert session.examples() == [
        doc_pages.Example("first", ("x", "")),
        doc_pages.Example("second", ()),
    ]
    assert [example.command.split() for example in script.examples()] == [["third", "goes", "on"]]
    assert (script.setup, script.varies, script.line) == ("", (), 9)


def test_a_page_gets_what_was_printed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ printf 'a 12\\nb\\nc 3.5\\n'\na 7\n...\nc 1,000\n$ echo d; echo 1\nd 1\n"
        "$ printf 'a\\nb\\n'\n...\nc\n```\n"
    )
    assert len(doc_runs.run(page)) == 3
    (left,) = doc_runs.run(page, update=True)
    assert "not printed: c" in left
    session = page.read_text().splitlines()[1:-1]
    assert session[1:4] == ["a 12", "...", "c 3.5"]
    assert session[5:7] == ["d", "1"]
    assert session[8:] == ["...", "c"]
