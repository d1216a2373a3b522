"""What is written about the protocol is what the code says."""

from __future__ import annotations

from pathlib import Path

from tinyml.protocol import as_markdown, frames, messages

FILE = Path(as_markdown.__file__).with_name("protocol.md")


def test_the_file_is_up_to_date() -> None:
    written = FILE.read_text(encoding="utf-8")
    assert written == as_markdown.markdown(), "run scripts/make_protocol_docs"


def test_everything_is_in_it() -> None:
    text = as_markdown.markdown()
    for message in messages.MESSAGES:
        assert f"| {message.number} | {message.name} |" in text
    for record in messages.RECORDS:
        for name, _ in record.layout():
            assert f"| {name} |" in text.partition(f"### {record.__name__}\n")[2]
    for code in (*messages.ErrorCode, *messages.InfoSection, *frames.Flag):
        assert f"| {code.value} | {code.name} |" in text
