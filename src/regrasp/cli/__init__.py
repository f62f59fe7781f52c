"""The command line: one file per verb, each of which parses, calls, prints, and gives an exit code.

Exit codes: 0 nothing wrong; 1 something found, or blocked; 2 could not run; 3 a device failed while running.
"""

import importlib
import os
import signal
import sys
import traceback
from difflib import get_close_matches
from itertools import pairwise
from types import FrameType
from typing import Any, NoReturn

import typer

import regrasp
from regrasp.errors import MissingExtra, RegraspError, UsageError

VERBS = {
    "demo": "The whole story on the simulated arm: learn, fail, be told why, succeed.",
    "station": "Find ports and cameras, and write them into one file; check it.",
    "record": "Record demonstrations: by a leader arm, or by the twin's expert.",
    "audit": "Find a dataset's defects.",
    "fix": "Put right what needs no judgement, on a copy.",
    "merge": "Mix datasets after checking that they fit.",
    "coverage": "Show what a dataset covers, and what to record next.",
    "plan": "Say how long to train, with which chunks, and why.",
    "train": "Train a policy with LeRobot and write its contract.",
    "select": "Choose the checkpoint of a run that succeeds most often.",
    "contract": "Show what a policy was trained to expect, or measure it anew.",
    "preflight": "Compare the contract with the live station; nothing moves.",
    "rollout": "Run a policy: preflight, episodes, score.",
    "label": "Set outcomes by hand where no scorer can.",
    "diagnose": "Name the cause of a failing policy, with the evidence.",
    "compare": "Say whether one set of rollouts is better than another.",
    "report": "Write one self-contained page about checkpoint, data and rollouts.",
    "checks": "List every defect that can be recognised.",
    "explain": "Show the page of one check.",
}
"""Every verb in the order in which a project meets them, with its line in the help."""


INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of the signal, as shells have it."""

_ClickError: type[Exception] = typer.BadParameter.__mro__[2]
"""What typer raises for a mistake on the command line; typer carries its own click and does not export it."""


def main() -> NoReturn:
    """Run the command line and leave with its exit code; a mishap becomes one sentence on stderr."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = _run(sys.argv[1:])
        if code == INTERRUPTED:  # typer has turned Ctrl-C into this code
            raise KeyboardInterrupt
        sys.stdout.flush()
    except RegraspError as error:
        code = _say(str(error), error.exit_code)
    except _ClickError as error:
        said = getattr(error, "format_message", error.__str__)()
        code = _say(said.rstrip(".") + ".", 2)
    except (KeyboardInterrupt, typer.Abort):
        code = _say("stopped; what was finished is kept.", INTERRUPTED)
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
    except OSError as error:
        if os.environ.get("REGRASP_TRACEBACK"):
            traceback.print_exc()
        where = f" {error.filename}" if error.filename else ""
        code = _say(f"Cannot read or write{where}: {error.strerror or error}. What was finished is kept.", 2)
    except Exception as error:  # the last resort: a defect of ours becomes a sentence, not a traceback
        if os.environ.get("REGRASP_TRACEBACK"):
            traceback.print_exc()
        first = (str(error).strip().splitlines() or [""])[0]
        kind = type(error).__name__
        code = _say(f"{kind}: {first}. This is a defect of regrasp; set REGRASP_TRACEBACK=1 to see where.", 2)
    sys.exit(code)


def _run(words: list[str]) -> int:
    """Import the file of the verb and run it; `--help` and a bare call list the verbs."""
    if not words or words[0] in ("--help", "-h", "help"):
        print(_help())
        return 0 if words else 2
    if words[0] == "--version":
        print(regrasp.__version__)
        return 0
    verb = words[0]
    if verb not in VERBS:
        close = get_close_matches(verb, VERBS, n=1)
        hint = f"Did you mean '{close[0]}'?" if close else "`regrasp --help` lists them."
        raise UsageError(f"No verb named '{verb}'. {hint}")
    module = importlib.import_module(f"regrasp.cli.{verb}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(help=module.command.__doc__)(module.command)
    _require_values(typer.main.get_command(app), words[1:])
    return app(words[1:], prog_name=f"regrasp {verb}", standalone_mode=False) or 0


def _require_values(command: Any, words: list[str]) -> None:
    """An option without its value would swallow the next option, and be blamed on something else.

    Raises:
        UsageError: A known option stands where another's value should.
    """
    if words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    options = [one for one in command.params if one.param_type_name == "option"]
    known = {name for one in options for name in (*one.opts, *one.secondary_opts)}
    valued = {name for one in options if not getattr(one, "is_flag", False) for name in one.opts}
    given = words[: words.index("--")] if "--" in words else words
    for name, after in pairwise(given):
        if name in valued and after in known:
            raise UsageError(
                f"Found {after} where the value of {name} should be; write {name} VALUE {after}."
            )


def _help() -> str:
    """The list of verbs."""
    width = max(map(len, VERBS))
    lines = [f"  {verb:{width}}  {line}" for verb, line in VERBS.items()]
    head = (regrasp.__doc__ or "").splitlines()[0]
    return "\n".join(
        ["usage: regrasp VERB ...", "", head, "", *lines, "", "`regrasp VERB --help` explains one."]
    )


def _say(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """A polite kill is treated as Ctrl-C."""
    raise KeyboardInterrupt
