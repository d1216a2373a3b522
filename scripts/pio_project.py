"""Run by PlatformIO before it builds in a checkout: renders the firmware of the environment's model
into .pio/project/<environment> and has PlatformIO build its sources."""

from pathlib import Path

Import("env")  # noqa: F821 - given by PlatformIO


def render(env):
    """Return the folder of the project for PlatformIO's environment `env`."""
    from tinyml import runtimes
    from tinyml.firmware import boards, plan
    from tinyml.firmware import render as firmware
    from tinyml.model import bundle

    board = boards.load(env.subst("$PIOENV"))
    model = bundle.load(env.GetProjectOption("custom_model"))
    out = Path(env.subst("$PROJECT_WORKSPACE_DIR")) / "project" / board.id
    # PlatformIO has read its options by now, so the runtime must be the one that needs none.
    return firmware.generate(plan.resolve(model, board, runtimes.standing_alone()), out).path


def project(env):
    """Render, or end the run with an error of one line and its hint."""
    try:
        from tinyml.errors import TinymlError
    except ImportError:
        print("tinyml is not installed where PlatformIO runs: pip install -e .")
        env.Exit(3)
    try:
        return render(env)
    except TinymlError as error:
        print(f"Error: {error.message}\n{error.hint}")
        env.Exit(error.exit_code)


folder = project(env)  # noqa: F821
env.Replace(PROJECT_SRC_DIR=str(folder / "src"))  # noqa: F821
env.SConscript(str(folder / "build_rules.py"), exports="env")  # noqa: F821
