"""The policy thinks too long for the rate at which the arm is driven.

## What it detects
A policy whose query takes so long, on this machine, that the arm waits for it and the loop falls behind its rate; more
actions to be executed per query than the policy plans; rollouts in which the loop fell behind.

## Why it matters
LeRobot's loop stands still while the policy thinks, once for each chunk. The arm then moves in bursts, slower than it
was taught; a plan that begins late is carried out late. LeRobot 0.6.1 logs a warning for each late turn, and
nobody sees that it happens at every chunk.

## How it decides
A query of t seconds may take one turn of the loop, 1/fps. What is longer is waited for, once in n_action_steps turns:
the rate that can be held is n / (n/fps + t - 1/fps). It must reach `least_share` of the wanted one. t is measured
before anything moves: the median of some queries with what the cameras show now. The smallest n_action_steps
that reaches it, up to the policy's chunk_size, is offered. Where the next chunk is asked for ahead (`--handover` on a
real arm), a query of d turns need only leave n_action_steps between d and chunk_size - d.

In rollouts, the times of the turns tell it: what a turn with a query took beyond 1/fps is time that the arm waited, and
with the same rule the rate that is left must reach `least_share` of the wanted one. An episode's first query is left out.
The twin's time waits for the policy, so that nothing is late there, and before a rollout the finding is a warning: a
real arm would be. `regrasp diagnose` asks the policy for its plans, and measures how far the arm is behind them.

## What can fool it
A machine that is busy with something else while it is measured, or later becomes so.

## How to fix it
Execute more actions per query (`--n-action-steps`), use a smaller policy or a faster machine, or train on data
recorded at a lower rate.
"""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from regrasp.control.seams import choose_horizon
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.loop_signals import LEAST_SHARE, LoopTime, loop_times
from regrasp.diagnosis.preflight import LiveView
from regrasp.errors import UsageError

if TYPE_CHECKING:
    from regrasp.data.contract import Contract


@check(severity=Severity.ERROR)
def late_inference(
    contract: "Contract", live: LiveView, *, least_share: float = LEAST_SHARE
) -> Iterator[Finding]:
    """The measured time of a query, against the rate and the actions that it buys."""
    steps = live.n_action_steps or contract.n_action_steps or 1
    if contract.chunk_size is not None and steps > contract.chunk_size:
        yield _too_many(steps, contract.chunk_size)
        return
    if live.inference_s is None:
        raise Undecided("the time of a query was not measured")
    if live.ahead and contract.chunk_size is not None:
        yield from _ahead(live.inference_s, live, contract.chunk_size, contract.n_action_steps)
        return
    rate = held_rate(live.inference_s, live.fps, steps)
    if rate >= least_share * live.fps:
        return
    enough = enough_steps(live.inference_s, live.fps, least_share)
    yield Finding(
        severity=Severity.WARNING if live.waits else None,
        summary=f"A query takes {1000 * live.inference_s:.0f} ms and gives {steps} actions; at {live.fps:g} Hz the arm "
        f"waits, and {rate:.3g} Hz come of it." + (" The twin's time waits as well." if live.waits else ""),
        where=Where(),
        evidence=(
            Evidence("rate that can be held", round(rate, 2), round(least_share * live.fps, 2), "Hz"),
            Evidence("time of a query", round(1000 * live.inference_s, 1), round(1000 / live.fps, 1), "ms"),
        ),
        fix=_more(enough, contract.chunk_size),
    )


@check(severity=Severity.ERROR)
def late_inference_deployed(
    contract: "Contract", rollouts: Rollouts, *, least_share: float = LEAST_SHARE
) -> Iterator[Finding]:
    """The time that the arm waited for the policy, against that in which it moved."""
    times = loop_times(rollouts)
    if not times and not rollouts.dataset.is_twin:
        raise Undecided("the rollouts do not hold the times of the loop")
    late = [one for one in times if one.held_hz < least_share * one.wanted_hz]
    if late:
        worst = min(late, key=lambda one: one.held_hz)
        wanted, wait_s = worst.wanted_hz, worst.waited_s / worst.queries
        yield Finding(
            summary=f"The arm waited {1000 * wait_s:.0f} ms at each of {worst.queries} queries of the policy: of "
            f"{wanted:g} Hz, {worst.held_hz:.3g} are left.",
            where=Where(tuple(one.episode for one in late)),
            evidence=(
                Evidence("rate that is left", round(worst.held_hz, 2), round(least_share * wanted, 2), "Hz"),
                Evidence("time of a query", round(1000 * worst.query_s, 1), round(1000 / wanted, 1), "ms"),
            ),
            fix=_sooner(contract, rollouts, worst, least_share),
        )


def _sooner(contract: "Contract", rollouts: Rollouts, worst: LoopTime, least_share: float) -> Fix:
    """Ask ahead where a real arm did not; else more actions per query, where the policy plans as many."""
    chunk, query_s = contract.chunk_size, worst.waited_s / worst.queries + 1 / worst.wanted_hz
    delay = math.ceil(query_s * worst.wanted_hz)
    ahead = not rollouts.dataset.is_twin and not _asked_ahead(rollouts.deployment.control)
    if ahead and chunk is not None and 2 * delay <= chunk:
        return Fix(
            "Ask for each plan before the last one is used up.",
            f"regrasp rollout CHECKPOINT --station STATION --n-action-steps {chunk // 2} --handover",
        )
    return _more(enough_steps(query_s, worst.wanted_hz, least_share), chunk)


def _asked_ahead(control: Mapping[str, str]) -> bool:
    """Whether plans were asked for ahead already."""
    return control.get("handover") == "on" and not control.get("horizon", "/0").endswith("/0")


def _ahead(inference_s: float, live: LiveView, chunk: int, trained: int | None) -> Iterator[Finding]:
    """Chunks asked for ahead must last until the next one is there."""
    try:
        choose_horizon(inference_s, live.fps, chunk, trained=trained, execute=live.n_action_steps)
    except UsageError:
        delay = math.ceil(inference_s * live.fps)
        wanted = "" if live.n_action_steps is None else f" and {live.n_action_steps} are to be executed"
        yield Finding(
            summary=f"A query takes {1000 * inference_s:.0f} ms, {delay} turns at {live.fps:g} Hz; the policy plans "
            f"{chunk} actions{wanted}, which do not last until the next plan is there.",
            where=Where(),
            evidence=(_narrowest(delay, chunk, live.n_action_steps),),
            fix=_feasible(delay, chunk),
        )


def _narrowest(delay: int, chunk: int, steps: int | None) -> Evidence:
    """The limit that is broken: of the chunk, or of the actions that somebody asked for."""
    if steps is None or 2 * delay > chunk:
        return Evidence("turns of two queries", 2 * delay, chunk)
    return Evidence("n_action_steps", steps, delay if steps < delay else chunk - delay)


def _feasible(delay: int, chunk: int) -> Fix:
    """As many actions as leave time for the next query, in the middle of what is possible."""
    if 2 * delay > chunk:
        return Fix(
            f"Use a smaller policy or a faster machine: a chunk of {2 * delay} actions would be needed."
        )
    steps = chunk // 2
    return Fix(
        f"Execute {steps} actions per query.",
        f"regrasp rollout CHECKPOINT --station STATION --n-action-steps {steps}",
    )


def held_rate(inference_s: float, fps: float, steps: int) -> float:
    """Turns per second of a loop that waits for the policy once in `steps` turns.

    Example:
        >>> held_rate(0.01, 30.0, 10), round(held_rate(0.2, 30, 10), 1)
        (30.0, 20.0)
    """
    waiting_s = max(inference_s - 1 / fps, 0.0)
    return fps if waiting_s == 0 else steps / (steps / fps + waiting_s)


def enough_steps(inference_s: float, fps: float, share: float) -> int:
    """The fewest actions per query with which a loop holds `share` of its rate.

    Example:
        >>> enough_steps(0.2, 30, 0.9), enough_steps(0.01, 30, 0.9)
        (45, 1)
    """
    waiting_s = max(inference_s - 1 / fps, 0.0)
    return max(1, math.ceil(round(waiting_s * fps * share / (1 - share), 6)))


def _more(enough: int, chunk_size: int | None) -> Fix:
    if chunk_size is None or enough > chunk_size:
        planned = "" if chunk_size is None else f" (the policy plans {chunk_size})"
        return Fix(
            f"Use a smaller policy or a faster machine: {enough} actions would have to be executed per query{planned}."
        )
    return Fix(
        f"Execute {enough} actions per query.",
        f"regrasp rollout CHECKPOINT --station STATION --n-action-steps {enough}",
    )


def _too_many(steps: int, chunk_size: int) -> Finding:
    return Finding(
        summary=f"{steps} actions are to be executed per query, and the policy plans {chunk_size}.",
        where=Where(),
        evidence=(Evidence("n_action_steps", steps, chunk_size),),
        fix=Fix(
            f"Execute {chunk_size} actions per query or fewer.",
            f"regrasp rollout CHECKPOINT --station STATION --n-action-steps {chunk_size}",
        ),
    )
