"""JUnit XML: what was checked, as test cases that any CI system shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree


@dataclass(frozen=True)
class Case:
    """One thing that was checked; `failure` says in one or more lines what is wrong, or is ""."""

    group: str
    name: str
    failure: str = ""


@dataclass(frozen=True)
class Suite:
    """The cases of one run, and what is known about it."""

    name: str
    properties: Mapping[str, str]
    cases: tuple[Case, ...]


def render(suite: Suite) -> str:
    """Return the suite as an XML document, in the form that Jenkins, GitLab and pytest share."""
    failed = str(sum(bool(case.failure) for case in suite.cases))
    counts = {"tests": str(len(suite.cases)), "failures": failed, "errors": "0", "skipped": "0"}
    root = ElementTree.Element("testsuites", counts)
    element = ElementTree.SubElement(root, "testsuite", {"name": _legal(suite.name), **counts})
    properties = ElementTree.SubElement(element, "properties")
    for name, value in suite.properties.items():
        pair = {"name": _legal(name), "value": _legal(value)}
        ElementTree.SubElement(properties, "property", pair)
    for case in suite.cases:
        attributes = {"classname": _legal(case.group), "name": _legal(case.name), "time": "0"}
        one = ElementTree.SubElement(element, "testcase", attributes)
        if case.failure:
            message = {"message": _legal(case.failure.splitlines()[0]), "type": "difference"}
            ElementTree.SubElement(one, "failure", message).text = _legal(case.failure)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _legal(text: str) -> str:
    """Spell out what XML 1.0 has no place for: control characters, surrogates, U+FFFE and F."""
    return "".join(
        char
        if char in "\t\n\r"
        or " " <= char <= "\ud7ff"
        or "\ue000" <= char <= "\ufffd"
        or char > "\uffff"
        else f"\\u{ord(char):04x}"
        for char in text
    )
