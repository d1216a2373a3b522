"""One file per command; the file's name is the command's name.

To add a command, write `<name>.py` with: `HELP` (first line: what it does), `EXAMPLES` (command
lines that work), `add_arguments(parser)`, and `run(args, console) -> int` (the exit code).
Import nothing heavy at top level: `tinyml --help` loads every file here.
"""
