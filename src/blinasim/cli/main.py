"""The ``blinasim`` command: its commands, and errors as one line.

Nothing heavy is imported here, so that ``--help`` answers at once.
"""

from __future__ import annotations

import logging
import shlex
import signal
import sys
from io import TextIOWrapper
from typing import Annotated

import typer
from typer.exceptions import TyperException

from blinasim import __version__
from blinasim.cli import (
    app as page,
)
from blinasim.cli import (
    calibrate,
    compare,
    completion,
    effect,
    optimize,
    rerun,
    run,
    scenarios,
    sensitivity,
    trace,
    trial,
    validate,
    value,
    verify,
)
from blinasim.cli.options import option
from blinasim.errors import BlinasimError, InterruptedRunError, one_line
from blinasim.files import reason

_USAGE, _INTERRUPTED, _FAILED = 2, 130, 1

app = typer.Typer(
    name="blinasim",
    help="What would have happened to these patients under another policy?",
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("compare")(compare.compare)
app.command("validate")(validate.validate)
app.command("effect")(effect.effect)
app.command("sensitivity")(sensitivity.sensitivity)
app.command("value")(value.value)
app.command("optimize")(optimize.optimize)
app.command("rerun")(rerun.rerun)
app.command("trace")(trace.trace)
app.command("calibrate")(calibrate.calibrate)
app.command("trial")(trial.trial)
app.command("verify")(verify.verify)
app.command("list")(scenarios.list_scenarios)
app.command("show")(scenarios.show)
app.command("new")(scenarios.new)
app.command("schema")(scenarios.schema)
app.command("app")(page.app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"blinasim {__version__}")
        raise typer.Exit


def _allow_outside(context: typer.Context, wanted: bool) -> None:
    if wanted:
        from blinasim.scenario.reach import outside_allowed

        context.with_resource(outside_allowed())


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    allow_outside: Annotated[
        bool,
        typer.Option(
            "--allow-outside",
            callback=_allow_outside,
            help="Let a file name scenarios and patients outside its folder.",
        ),
    ] = False,
) -> None:
    """What would have happened to these patients under another policy?"""


def main() -> None:
    """Run the command line; an error is one line on standard error."""
    completion.heed_named_shell(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without a letter shows a question mark, no error
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it speaks of its cache where there is no home
    for ending in (getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # as it is under nohup
            signal.signal(ending, _terminate)
    sys.exit(_run(sys.argv[1:]))


def _terminate(*_: object) -> None:
    """Let what is half done be cleared away, as after Ctrl-C."""
    raise KeyboardInterrupt


def _run(arguments: list[str]) -> int:
    debug = "--debug" in arguments
    try:
        code: int = app(arguments or ["--help"], prog_name="blinasim", standalone_mode=False) or 0
        # Typer turns Ctrl-C into this code without a word.
        return _stopped() if code == _INTERRUPTED else code
    except InterruptedRunError as problem:
        again = shlex.join([*arguments, *(() if "--resume" in arguments else ("--resume",))])
        return _say(f"{problem}; go on with: blinasim {again}", _INTERRUPTED)
    except BlinasimError as problem:
        if debug:
            raise
        return _say(problem.told(option), _USAGE)
    except TyperException as problem:
        context = getattr(problem, "ctx", None)
        command = context.command_path if context else "blinasim"
        return _say(f"{problem.format_message().strip().removesuffix('.')} (see {command} --help)", _USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return _stopped()
    except (OSError, MemoryError) as problem:
        if debug:
            raise
        return _say(_of_the_machine(problem), _USAGE)
    except Exception as problem:
        if debug:
            raise
        return _say(
            f"unexpected {type(problem).__name__}: {problem}; say blinasim --debug ... for the traceback",
            _FAILED,
        )


def _of_the_machine(problem: OSError | MemoryError) -> str:
    """Say what the machine did not give, and what to do; results folders have said it for themselves."""
    if isinstance(problem, MemoryError):
        return "not enough memory; ask for fewer patients, or for fewer trials at a time (--chunk)"
    if problem.filename is None:
        return (
            f"cannot print ({reason(problem)}); make room or print elsewhere: results folders are whole, or not there"
        )
    return f"{problem.filename}: cannot be used ({reason(problem)}); make room, or choose another folder"


def _stopped() -> int:
    return _say("stopped; nothing is left half written", _INTERRUPTED)


def _say(message: str, code: int) -> int:
    typer.echo(f"blinasim: {one_line(message)}", err=True)
    return code
