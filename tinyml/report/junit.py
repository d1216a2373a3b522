"""JUnit XML: a page's test cases, in the form that Jenkins, GitLab and pytest share."""

from __future__ import annotations

from xml.etree import ElementTree

from tinyml.report.escape import xml
from tinyml.report.page import Page, TestCase
from tinyml.report.provenance import Provenance


def render(page: Page, provenance: Provenance) -> str:
    """Return the page's test cases and properties as an XML document.

    The suite's time is that of the whole command, building and flashing included; a case's time
    is that of its own check, 0 where it is part of another.
    """
    failed = str(sum(bool(case.failure) for case in page.cases))
    counts = {"tests": str(len(page.cases)), "failures": failed, "errors": "0", "skipped": "0"}
    counts["time"] = f"{provenance.seconds:.3f}"
    root = ElementTree.Element("testsuites", counts)
    attributes = {
        "name": xml(f"tinyml.{page.name}"),
        **counts,
        "timestamp": provenance.started.isoformat(timespec="seconds"),
    }
    suite = ElementTree.SubElement(root, "testsuite", attributes)
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in {**page.properties, **dict(provenance.rows())}.items():
        pair = {"name": xml(name), "value": xml(value)}
        ElementTree.SubElement(properties, "property", pair)
    for case in page.cases:
        _add(suite, case)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _add(suite: ElementTree.Element, case: TestCase) -> None:
    attributes = {
        "classname": xml(case.group),
        "name": xml(case.name),
        "time": f"{case.seconds:.3f}",
    }
    element = ElementTree.SubElement(suite, "testcase", attributes)
    if case.failure:
        message = {"message": xml(case.failure.splitlines()[0]), "type": "difference"}
        ElementTree.SubElement(element, "failure", message).text = xml(case.failure)
