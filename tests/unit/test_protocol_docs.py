"""What is written about the protocol is what the code says."""

from __future__ import annotations

from pathlib import Path

from tinyml import protocol, protocol_docs, wire

FILE = Path(protocol_docs.__file__).with_name("protocol.md")


def test_the_file_is_up_to_date() -> None:
    written = FILE.read_text(encoding="utf-8")
    assert written == protocol_docs.markdown(), "run scripts/make_protocol_docs"


def test_everything_is_in_it() -> None:
    text = protocol_docs.markdown()
    for message in protocol.MESSAGES:
        assert f"| {message.number} | {message.name} |" in text
    for record in protocol.RECORDS:
        for name, _ in record.layout():
            assert f"| {name} |" in text.partition(f"### {record.__name__}\n")[2]
    for code in (*protocol.ErrorCode, *protocol.Section, *wire.Flag):
        assert f"| {code.value} | {code.name} |" in text
