"""`regrasp label`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regrasp.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from regrasp.data.rollouts import Outcome

PERSON = "person"
"""Who decided, as an outcome says it."""

MOST_OF_A_FAILURE = 0.99
"""Progress of an episode that did not succeed is below 1."""

KEYS = {"s": True, "f": False}
"""What a key says of an episode."""


def command(
    rollouts: Annotated[Path, typer.Argument(help="Folder of rollouts.")],
    episode: Annotated[list[str] | None, typer.Option(help="Which: 3, or 3-7; may be repeated.")] = None,
    success: Annotated[
        bool | None, typer.Option("--success/--failure", help="How these episodes ended.")
    ] = None,
    everything: Annotated[
        str | None, typer.Option("--all", help="How all that nobody has scored ended: success or failure.")
    ] = None,
    json: Json = False,
) -> None:
    """Set outcomes by hand; without options, ask for each that nobody has scored."""
    import sys

    outcomes = known_outcomes(rollouts)
    decided = decisions(outcomes, episode, success, everything)
    if decided:
        keep(rollouts, decided)
    elif not json and sys.stdin.isatty():
        ask(rollouts, outcomes, typer.getchar)
    _tell(known_outcomes(rollouts), changed=len(decided), json=json)


def known_outcomes(rollouts: Path) -> "Sequence[Outcome]":
    """An outcome for each episode, those that nobody has scored included."""
    from regrasp.data.rollouts import Outcome, read_rollouts

    read = read_rollouts(rollouts, video=False)
    unscored = {one.index: Outcome(one.index, None, seconds=one.length / one.fps) for one in read.episodes}
    return tuple((unscored | {outcome.episode: outcome for outcome in read.outcomes}).values())


def decisions(
    outcomes: "Sequence[Outcome]",
    episodes: "Sequence[str] | None",
    success: bool | None,
    everything: str | None,
) -> dict[int, bool]:
    """Episode -> whether it succeeded, as the options say.

    Raises:
        UsageError: They contradict each other, or name an episode that is not there.
    """
    from regrasp.errors import UsageError

    if everything is not None:
        if episodes or success is not None:
            raise UsageError("--all stands alone; leave out --episode, --success and --failure.")
        if everything not in ("success", "failure"):
            raise UsageError(f"--all is '{everything}'; expected success or failure.")
        return {one.episode: everything == "success" for one in outcomes if one.success is None}
    if bool(episodes) != (success is not None):
        raise UsageError(
            "--episode needs --success or --failure beside it, and they need --episode, or give --all."
        )
    return dict.fromkeys(_numbers(episodes or (), {one.episode for one in outcomes}), bool(success))


def keep(rollouts: Path, decided: "Mapping[int, bool]") -> None:
    """Write these decisions, whole or not at all; everything else that is known of the episodes stays."""
    from dataclasses import replace

    from regrasp.data.rollouts import read_rollouts, write_outcomes

    read = read_rollouts(rollouts, video=False)
    outcomes = [
        one
        if one.episode not in decided
        else replace(one, success=decided[one.episode], progress=_progress(one, decided), scored_by=PERSON)
        for one in known_outcomes(rollouts)
    ]
    write_outcomes(read.dataset.path, outcomes, read.deployment)


def ask(rollouts: Path, outcomes: "Sequence[Outcome]", key: "Callable[[], str]") -> None:
    """Ask for each episode that nobody has scored, and write each answer at once."""
    left = [one for one in outcomes if one.success is None]
    if left:
        print("s success   f failure   space later   q stop")
    for one in left:
        print(f"episode {one.episode} ({one.seconds:.1f} s): ", end="", flush=True)
        pressed = key().lower()
        while pressed not in (*KEYS, " ", "q"):
            pressed = key().lower()
        print({"s": "success", "f": "failure", " ": "later", "q": "stopped"}[pressed])
        if pressed == "q":
            return
        if pressed in KEYS:
            keep(rollouts, {one.episode: KEYS[pressed]})


def _progress(outcome: "Outcome", decided: "Mapping[int, bool]") -> float:
    """A success went all the way; a failure got as far as was known of it, and not all the way."""
    return 1.0 if decided[outcome.episode] else min(outcome.progress, MOST_OF_A_FAILURE)


def _numbers(texts: "Sequence[str]", known: "Collection[int]") -> list[int]:
    """Episodes from `3` and `3-7`."""
    from regrasp.errors import UsageError

    numbers: list[int] = []
    for text in texts:
        first, _, last = text.partition("-")
        if not first.isdigit() or not (last or first).isdigit():
            raise UsageError(f"--episode is '{text}'; expected a number such as 3, or a range such as 3-7.")
        low, high = int(first), int(last or first)
        if low > high or not {low, high} <= set(known):
            raise UsageError(
                f"--episode is '{text}'; expected episodes from {min(known, default=0)} to {max(known, default=0)}."
            )
        numbers.extend(number for number in sorted(known) if low <= number <= high)
    return numbers


def _tell(outcomes: "Sequence[Outcome]", *, changed: int, json: bool) -> None:
    from regrasp.stats import Rate

    rate = Rate.of([one.success for one in outcomes])
    left = [one.episode for one in outcomes if one.success is None]
    if json:
        from regrasp.report.json import json_line

        by = {str(one.episode): one.scored_by for one in outcomes if one.success is not None}
        print(json_line({"success": rate.to_json(), "unscored": left, "changed": changed, "scored_by": by}))
        return
    print(f"success {rate}")
    if left:
        from regrasp.diagnosis.finding import number_ranges

        print(f"nobody has scored episodes {number_ranges(tuple(left))}")
