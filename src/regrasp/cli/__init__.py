"""The command line: one file per verb, each of which parses, calls, prints, and gives an exit code.

Exit codes: 0 nothing wrong; 1 something found, or blocked; 2 could not run; 3 a device failed while running.
"""

import importlib
import os
import signal
import sys
import traceback
from types import FrameType
from typing import NoReturn

import click
import typer
from typer.core import TyperGroup

from regrasp.errors import MissingExtra, RegraspError

VERBS = {
    "demo": "The whole story on the simulated arm: learn, fail, be told why, succeed.",
    "record": "Record demonstrations: by a leader arm, or by the twin's expert.",
    "audit": "Find a dataset's defects.",
    "train": "Train a policy with LeRobot and write its contract.",
    "contract": "Show what a policy was trained to expect, or measure it anew.",
    "preflight": "Compare the contract with the live station; nothing moves.",
    "rollout": "Run a policy: preflight, episodes, score.",
    "diagnose": "Name the cause of a failing policy, with the evidence.",
    "compare": "Say whether one set of rollouts is better than another.",
    "report": "Write one self-contained page about checkpoint, data and rollouts.",
    "checks": "List every defect that can be recognised.",
    "explain": "Show the page of one check.",
}
"""Every verb in the order in which a project meets them, with its line in the help."""


class _Verbs(TyperGroup):
    """Imports the file of a verb when it is called, so that `--help` and the quick verbs start at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        if ctx.resilient_parsing or ctx.meta.get("regrasp.listing"):
            return click.Command(cmd_name, help=VERBS[cmd_name])
        module = importlib.import_module(f"regrasp.cli.{cmd_name}")
        app = getattr(module, "app", None)
        if app is None:
            app = typer.Typer(add_completion=False, rich_markup_mode=None)
            app.command(cmd_name, help=module.command.__doc__)(module.command)
        command = typer.main.get_command(app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise click.UsageError(f"No verb named '{args[0]}'.{_meant(args[0])}")
        return super().resolve_command(ctx, args)


def _meant(word: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, VERBS, n=1)
    return f" Did you mean '{close[0]}'?" if close else " `regrasp --help` lists them."


app = typer.Typer(cls=_Verbs, add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback(help=__import__("regrasp").__doc__.splitlines()[0])
def _regrasp() -> None:
    pass


def main() -> NoReturn:
    """Run the command line and leave with its exit code; a mishap becomes one sentence on stderr."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except RegraspError as error:
        code = _say(str(error), error.exit_code)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        code = _say(error.format_message(), 2)
    except (KeyboardInterrupt, click.Abort):
        code = _say("stopped; what was finished is kept.", 130)
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # the reader has gone; nothing more to say
        code = 0
    except ModuleNotFoundError as error:
        needed = MissingExtra(
            f"'{error.name}' is not installed; this verb needs it. Try `pip install 'regrasp[all]'`."
        )
        code = _say(str(needed), needed.exit_code)
    except MemoryError:
        code = _say("the machine ran out of memory. Try fewer or smaller frames.", 2)
    except Exception as error:  # the last resort: a defect of ours becomes a sentence, not a traceback
        if os.environ.get("REGRASP_TRACEBACK"):
            traceback.print_exc()
        first = (str(error).strip().splitlines() or [""])[0]
        code = _say(
            f"{type(error).__name__}: {first}. This is a defect of regrasp; set REGRASP_TRACEBACK=1 to see where.",
            2,
        )
    sys.exit(code if isinstance(code, int) else 0)


def _say(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """A polite kill is treated as Ctrl-C."""
    raise KeyboardInterrupt
