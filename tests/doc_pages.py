"""The documentation as data: its pages, the commands that they show, and what they get wrong.

A page is Markdown. What can be checked in it:

* fences `console` (commands after `$ `, then what they print; `...` stands for any lines) and `sh`
  (commands alone). Words after the language say why a block does not run where tests do: `board`
  (real hardware), `network` (downloads), `long` (trains, or takes minutes), `yours` (files that
  the reader has), `checkout` (works on the checkout itself);
* `<!-- setup: COMMANDS -->` before a block runs in the page's folder first;
* `<!-- varies: WORD, WORD -->` before a block: of printed lines with these words the numbers are
  not compared;
* every other `tinyml ...` in code, every `--option`, link, path and dotted name of the project;
* what stands between `<!-- table: NAME -->` and `<!-- end -->`, which comes from the code.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tinyml import cli, rooms
from tinyml.compiler import ops
from tinyml.errors import TinymlError

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("console", "sh", "python", "c", "ini", "toml", "json", "text", "")
BOARD, NETWORK, LONG, YOURS, CHECKOUT = ("board", "network", "long", "yours", "checkout")
MARKS = (BOARD, NETWORK, LONG, YOURS, CHECKOUT)

_FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.M | re.S)
_COMMENT = re.compile(r"<!-- (setup|varies):\s(.*?)-->", re.S)
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_PATH = re.compile(r"(?:tinyml|boards|docs|firmware_templates|models|scripts|tests)/[\w./-]*")
_UNFENCED = re.compile(r"^ {4,}((?:tinyml|scripts/|pytest|pip) ?.+)$", re.M)
_NAME = re.compile(r"tinyml(\.\w+)+")
_OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
_INCOMPLETE = re.compile(r"arguments are required|expected (one|at least one) argument")
_ENDS_COMMAND = {"|", "||", "&", "&&", ";", ">", ">>", "<", "2>"}
# Options in the pages that other programs than ours take.
_FOREIGN = frozenset({"--junitxml", "--fixtures", "--lg-env", "--durations", "--randomly-seed"})


@dataclass(frozen=True)
class Example:
    """A command as a page shows it; `shown` is what it prints, None where the page does not say."""

    command: str
    shown: tuple[str, ...] | None


@dataclass(frozen=True)
class Block:
    """A fence of `page`, that begins in `line`, with what its comments say."""

    page: Path
    line: int
    language: str
    marks: frozenset[str]
    text: str
    setup: str
    varies: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{os.path.relpath(self.page, ROOT)}:{self.line}"

    def examples(self) -> list[Example]:
        """Return its commands in order."""
        if self.language == "console":
            return list(_sessions(self.text))
        commands = self.text.replace("\\\n", " ").splitlines() if self.language == "sh" else []
        return [Example(line, None) for line in commands if shlex.split(line, comments=True)]


def pages() -> list[Path]:
    """Return every page: README, CONTRIBUTING and what lies under `docs`."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """Return the fences of a page in order."""
    text = page.read_text(encoding="utf-8")
    found, end = [], 0
    for fence in _FENCE.finditer(text):
        language, *marks = fence[2].split() or [""]
        comments = dict(_COMMENT.findall(text[end : fence.start()]))
        varies = tuple(word.strip() for word in comments.get("varies", "").split(",") if word)
        line = text.count("\n", 0, fence.start()) + 1
        setup = comments.get("setup", "").strip()
        body = textwrap.dedent(fence[3])
        found.append(Block(page, line, language, frozenset(marks), body, setup, varies))
        end = fence.end()
    return found


def problems(page: Path) -> list[str]:
    """Return what is wrong with a page without running any of it, a line each."""
    found = []
    for block in blocks(page):
        if block.language not in LANGUAGES or not block.marks <= set(MARKS):
            found.append(f"{block.place}: unknown fence: {block.language} {set(block.marks)}")
        for example in block.examples():
            found += [f"{block.place}: {wrong}" for wrong in _complaints(example.command)]
    prose = _FENCE.sub("", page.read_text(encoding="utf-8"))
    name = page.relative_to(ROOT)
    found += [f"{name}: a command in no fence: {line}" for line in _UNFENCED.findall(prose)]
    for code in (" ".join(code.split()) for code in _CODE.findall(prose)):
        if re.match(r"tinyml [a-z]", code):
            wrongs = _complaints(re.sub(r"[][]", "", code))
            # In a sentence a command may lack what it is not about.
            found += [f"{name}: {wrong}" for wrong in wrongs if not _INCOMPLETE.search(wrong)]
        found += [
            f"{name}: there is no option {option}"
            for option in _OPTION.findall(code)
            if option not in options()
        ]
        named = _NAME.fullmatch(code) is None or _is_importable(code)
        if (_PATH.fullmatch(code) and not (ROOT / code).exists()) or not named:
            found.append(f"{name}: there is no {code}")
    found += [f"{name}: broken link {link}" for link in _LINK.findall(prose) if _dead(page, link)]
    text = page.read_text(encoding="utf-8")
    return found + ([f"{name}: scripts/check_docs --write"] if with_tables(text) != text else [])


def with_tables(text: str) -> str:
    """Return a page's text with its tables as the code has them now."""
    return _TABLE.sub(lambda table: f"{table[1]}\n{TABLES[table[2]]()}{table[4]}", text)


def write_tables(page: Path) -> None:
    """Bring a page's tables up to date."""
    text = page.read_text(encoding="utf-8")
    if (new := with_tables(text)) != text:
        page.write_text(new, encoding="utf-8")


def _operators() -> str:
    rows = []
    for name in ops.names():
        summary = importlib.import_module(f"{ops.__name__}.{name.lower()}").__doc__ or ""
        about = summary.splitlines()[0].removeprefix(name).removeprefix(":").strip()
        rows.append(f"| {name} | {about} |\n")
    return "".join(["| operator | form |\n|---|---|\n", *rows])


def _rooms() -> str:
    rows = [f"| `{name}` | {sentence} |\n" for name, sentence in rooms.ROOMS.items()]
    return "".join(["| room | holds |\n|---|---|\n", *rows])


TABLES = {"operators": _operators, "rooms": _rooms}
_TABLE = re.compile(r"(<!-- table: (\w+) -->)\n(.*?)(<!-- end -->)", re.S)


@lru_cache
def options() -> frozenset[str]:
    """Return every option of every verb, of the pytest plugin and of the scripts."""
    known = set(_FOREIGN)
    for verb in cli.names():
        known |= {name for action in _parser(verb)._actions for name in action.option_strings}
    sources = [ROOT / "tinyml" / "pytest_plugin.py", *(ROOT / "scripts").iterdir()]
    for source in sources:
        if source.is_file():
            known |= set(_OPTION.findall(source.read_text(encoding="utf-8")))
    return frozenset(known | {"--version", "--help"})


def _sessions(text: str) -> Iterator[Example]:
    command, shown = "", []
    for line in [*text.splitlines(), "$ "]:
        if not line.startswith("$ "):
            shown.append(line)
            continue
        if command:
            yield Example(command, tuple(shown))
        command, shown = line[2:], []


def _complaints(command: str) -> Iterator[str]:
    """Yield what the real parsers say against a command line."""
    for words in _commands(command):
        if words[0] == "tinyml" and (wrong := _refusal(words[1:])):
            yield f"{shlex.join(words)}: {wrong}"
        if words[0].startswith("scripts/"):
            if not os.access(ROOT / words[0], os.X_OK):
                yield f"there is no {words[0]}"
            else:
                known = set(_OPTION.findall((ROOT / words[0]).read_text(encoding="utf-8")))
                known |= options() if words[0] == "scripts/test" else set()
                unknown = [word for word in words if _OPTION.fullmatch(word)]
                yield from (f"{words[0]} has no {o}" for o in unknown if o not in known)
        if words[0] == "pytest":
            unknown = [word for word in words if _OPTION.fullmatch(word)]
            yield from (f"pytest has no {option}" for option in unknown if option not in options())


def _commands(line: str) -> Iterator[list[str]]:
    """Yield the words of each command of a line, less assignments before it."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word in _ENDS_COMMAND:
            if words:
                yield words
            words = []
        elif words or not re.match(r"\w+=", word):
            words.append(word)


def _refusal(arguments: list[str]) -> str | None:
    """Return why the command line `tinyml ARGUMENTS` would be refused, None if it would not."""
    arguments = [
        "1" if word in ("N", "S", "T", "BYTES") else word for word in arguments if word != "..."
    ]
    if not arguments or arguments[0].startswith("--"):
        return None
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            _parser(arguments[0]).parse_args(arguments[1:])
    except TinymlError as error:
        return error.message
    except SystemExit:  # --help
        pass
    return None


@lru_cache
def _parser(verb: str) -> cli.Parser:
    parser = cli.Parser(prog=f"tinyml {verb}")
    cli.load(verb).add_arguments(parser)
    return parser


def _is_importable(name: str) -> bool:
    """Whether a dotted name is a module of the package, or something in one."""
    module, _, rest = name.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), rest)
    except ImportError:
        return False


def _dead(page: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return False
    target, _, anchor = link.partition("#")
    file = page.parent / target if target else page
    if not file.exists():
        return True
    return bool(anchor) and anchor not in {_anchor(title) for title in _titles(file)}


def _titles(page: Path) -> list[str]:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return re.findall(r"^#+ (.+)$", text, re.M)


def _anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
