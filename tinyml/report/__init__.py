"""Shows results: one description of a page for terminal, HTML, JUnit and JSON.

Reports to keep and to send: records of a command in, one file out.

A file here that is named like a command (`validation`, `evaluation`, `spotting`, `benchmark`) turns
that command's records into a `Page` and a JUnit `Suite`. `page` has the few blocks of which every
page is made, `figures` computes what is drawn, `html` and `junit` write. Templates do no
arithmetic, and escape every text: names may come from a hostile device or model file.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyml.report.junit import Suite
from tinyml.report.page import Page

__all__ = ["Page", "Report", "Suite"]


@dataclass(frozen=True)
class Report:
    """What a command found, in the two forms that are not its JSON document."""

    page: Page
    suite: Suite
