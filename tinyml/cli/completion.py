"""Shell completion: the argument parsers of all verbs in, a script for bash, zsh or fish out.

The script knows the commands, their options and the names of boards, runtimes, tasks and shipped
models as they were when it was written; everything else completes as file names do.
"""

from __future__ import annotations

import shlex
from argparse import SUPPRESS, Action, ArgumentParser
from collections.abc import Iterator, Mapping, Sequence

from tinyml import runtimes
from tinyml.firmware import boards
from tinyml.model import bundle
from tinyml.registry import Registry

SHELLS = ("bash", "zsh", "fish")  # as the verb declares them

Parsers = Mapping[str, ArgumentParser]


def script(shell: str, parsers: Parsers) -> str:
    """Return the completion script of one of SHELLS for `parsers`, by the name of their verb."""
    if shell == "fish":
        return "\n".join(_fish(parsers)) + "\n"
    text = _BASH.format(
        verbs=" ".join(sorted(parsers)),
        values="\n".join(_bash_values(parsers)),
        words="\n".join(_bash_words(parsers)),
    )
    return text if shell == "bash" else f"#compdef tinyml\n{_ZSH}{text}"


_ZSH = "autoload -U +X bashcompinit && bashcompinit\n"
_BASH = """\
# Completion of tinyml; written by: tinyml completion
_tinyml() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}"
  local verb="${{COMP_WORDS[1]}}" words=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{verbs} --help --version" -- "$current"))
    return
  fi
  case "$verb $before" in
{values}
  esac
  if [ -z "$words" ]; then
    case "$verb" in
{words}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _tinyml tinyml
"""


def _bash_values(parsers: Parsers) -> Iterator[str]:
    """Yield a case for each option whose values are known."""
    for verb, parser in sorted(parsers.items()):
        for action in parser._actions:
            if values := _values(action):
                pattern = "|".join(f'"{verb} {option}"' for option in action.option_strings)
                if pattern:
                    yield f'    {pattern}) words="{" ".join(values)}" ;;'


def _bash_words(parsers: Parsers) -> Iterator[str]:
    """Yield a case for each verb: its options, and the names that its arguments may have."""
    for verb, parser in sorted(parsers.items()):
        words: list[str] = []
        for action in parser._actions:
            words += action.option_strings or _values(action)
        yield f'      {verb}) words="{" ".join(words)}" ;;'


def _fish(parsers: Parsers) -> Iterator[str]:
    yield "# Completion of tinyml; written by: tinyml completion"
    none = "__fish_use_subcommand"
    yield f"complete -c tinyml -n {none} -l help -d 'show the commands'"
    yield f"complete -c tinyml -n {none} -l version -d 'show versions'"
    for verb, parser in sorted(parsers.items()):
        first = shlex.quote((parser.description or "").strip().partition("\n")[0])
        yield f"complete -c tinyml -f -n {none} -a {verb} -d {first}"
        seen = f"'__fish_seen_subcommand_from {verb}'"
        for action in parser._actions:
            yield f"complete -c tinyml -n {seen} {' '.join(_fish_options(action))}"


def _fish_options(action: Action) -> Iterator[str]:
    for option in action.option_strings:
        name = option.lstrip("-")
        yield f"-l {name}" if option.startswith("--") else f"-s {name}"
    values = _values(action)
    if action.nargs != 0 and action.option_strings:
        yield "-x" if values else "-r"
    if values:
        yield f"-a {shlex.quote(' '.join(values))}"
    if action.help and action.help != SUPPRESS:
        summary = action.help.partition(" (default")[0].replace("%%", "%")
        yield f"-d {shlex.quote(summary)}"


def _values(action: Action) -> Sequence[str]:
    """Return the values that an argument may have, none where they are not a few known names."""
    if action.choices is not None:
        return [str(choice) for choice in action.choices]
    names = _NAMES.get(str(action.metavar))
    return names() if names is not None else ()


def _models() -> Sequence[str]:
    return bundle.shipped()


_NAMES = {
    "BOARD": boards.names,
    "RUNTIME": runtimes.names,
    "TASK": Registry("tinyml.tasks", "task").names,
    "MODEL": _models,
    "A": _models,
    "B": _models,
}
