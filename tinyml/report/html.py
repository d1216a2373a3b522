"""A page as one HTML file that needs nothing else: no script, no font, no picture, no network."""

from __future__ import annotations

from pathlib import Path

from tinyml.report.page import Page

_HERE = Path(__file__).parent


def render(page: Page) -> str:
    """Return the page as an HTML document; every text in it is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(page=page, style=style)
