"""What is seen in rollouts, train against deployment: symptoms, which name no cause.

Every measure is one number for each episode, and an episode is judged by what the training's own episodes show: it is
outside when it lies beyond what 99 of 100 of them do, and as far beyond again as that lies from their middle. A symptom
is reported when so many episodes are outside that chance would hardly do it, and they are enough to matter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
from numpy.typing import NDArray

from regrasp.data.contract import Contract
from regrasp.data.dataset import Dataset
from regrasp.data.measures import closed_share, gripper_index
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis import motion_signals as measure
from regrasp.diagnosis.finding import Evidence, count
from regrasp.diagnosis.outcome_patterns import success_by_start
from regrasp.diagnosis.picture_symptoms import unfamiliar_pictures
from regrasp.diagnosis.ranking import Symptom
from regrasp.diagnosis.signals import action_scale, joint_scale
from regrasp.stats.resampling import interval_of_mean
from regrasp.stats.shift import compare_episodes, exceeding_by_chance

type Array = NDArray[np.float64]

SELDOM = 0.5
"""A gripper that is closed (or open) in less than this part of its training share closes seldom. Measured on the twin:
0.8 of it in healthy rollouts, 0.34 and less in those that failed."""

USUAL_SHARE = 0.99
"""Of the training's episodes lie within the limit before the margin is added."""

MARGIN = 1.0
"""How far beyond that an episode may lie, in the distance from the training's median to it: a policy is not the person
whom it learned from."""

LEAST_SHARE = 0.3
"""Of the episodes must be outside: what fewer do is not what a deployment looks like."""

CHANCE = 0.001
"""So seldom are so many outside when both sides are alike: some twenty measures are compared, each counted so."""

FEWEST_TRAINED = 5
"""Fewer training episodes have no spread to speak of."""

ALIKE = 0.01
"""Largest chance, over all joints, at which distributions count as different."""

SMALLEST_DISTANCE = 0.25
"""Energy distance, of joints in their ranges, that any two sets of episodes may have: that of a joint which is always
3 % of its range away, or half of the time an eighth. Measured on the twin: up to 0.21 in rollouts of a policy that
succeeds, from 0.36 in those that failed because something slips or a joint is off."""

SLOW = 0.9
"""Of the training's rate: the twin's demonstrations, on which policies succeed, differ by 7 to 10 % in length."""


def symptoms(contract: Contract, train: Dataset, rollouts: Rollouts) -> Iterator[Symptom]:
    """What is seen in the rollouts, whatever its cause; the gripper first, then the motion, the loop, the pictures."""
    if not rollouts.episodes:
        return
    yield from _gripper(contract, train, rollouts)
    yield from success_by_start(rollouts)
    if len(train.episodes) >= FEWEST_TRAINED and _comparable(train, rollouts.dataset):
        sides = Sides(contract, train, rollouts)
        for look in (_other_poses, _path, _standstill, _jumps, _shaking, _beyond_training, _lag):
            yield from look(sides)
    yield from _slow_loop(contract, rollouts)
    yield from unfamiliar_pictures(contract, train, rollouts.dataset)


def _comparable(train: Dataset, deployed: Dataset) -> bool:
    """Whether both name the same joints, and command the joints that they measure."""
    sides = (train, deployed)
    same = train.joint_names == deployed.joint_names
    long_enough = all(episode.length > 2 for side in sides for episode in side.episodes)
    return same and long_enough and all(side.states.shape == side.actions.shape for side in sides)


@dataclass(frozen=True)
class Outside:
    """Episodes beyond what the training shows: how many, what is usual among them, and the limit."""

    k: int
    m: int
    typical: float
    usual: float
    extreme: float
    limit: float

    @property
    def share(self) -> str:
        """As `7 of 10 episodes`."""
        return f"{self.k} of {count(self.m, 'episode')}"

    def evidence(self, name: str, unit: str) -> tuple[Evidence, ...]:
        """The numbers beside their limits."""
        return (
            Evidence(f"{name}, middle of those outside", _rounded(self.typical), _rounded(self.limit), unit),
            Evidence(f"{name}, middle of the training", _rounded(self.usual), None, unit),
            Evidence("episodes outside", self.k, None, f"of {self.m}"),
        )


def outside(
    seen: Array, trained: Array, *, above: bool, chance: float = CHANCE, floor: float = 0.0
) -> Outside | None:
    """Whether too many of `seen` [m] lie above (or below) what `trained` [n] shows; NaN is left out.

    `floor` is the least distance between the training's median and the limit, for measures in which the training does not
    vary. None when nothing is to be reported.
    """
    sign = 1.0 if above else -1.0
    ours, theirs = sign * seen[np.isfinite(seen)], np.sort(sign * trained[np.isfinite(trained)])
    if not len(ours) or len(theirs) < FEWEST_TRAINED:
        return None
    rank = max(1, ceil(round((1 - USUAL_SHARE) * len(theirs), 6)))
    extreme, usual = float(theirs[-rank]), float(np.median(theirs))
    limit = usual + max((1 + MARGIN) * (extreme - usual), floor)
    beyond = ours[ours > limit]
    k, m = len(beyond), len(ours)
    if k < LEAST_SHARE * m or exceeding_by_chance(k, m, len(theirs), rank) >= chance:
        return None
    typical = float(np.median(beyond))
    # Adding 0.0 makes a negative zero a plain one.
    return Outside(k, m, *(sign * value + 0.0 for value in (typical, usual, extreme, limit)))


@dataclass(frozen=True, eq=False)
class Sides:
    """Training and deployment with what several symptoms need."""

    contract: Contract
    train: Dataset
    rollouts: Rollouts

    @cached_property
    def done(self) -> list[bool]:
        """Which rollouts succeeded, as far as somebody scored them."""
        outcomes = (self.rollouts.outcome_of(episode.index) for episode in self.rollouts.episodes)
        return [outcome is not None and outcome.success is True for outcome in outcomes]

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the joints."""
        return self.train.joint_names

    def unit(self, joint: int) -> str:
        """Of one joint: degrees, unless the contract says otherwise."""
        unit = self.contract.joints[joint].unit
        return {"0-100": "%", "unknown": ""}.get(unit, unit)

    def worst(
        self, seen: Array, trained: Array, *, floor: Array
    ) -> tuple[int, Outside, tuple[str, ...]] | None:
        """The joint [.., J] that lies furthest above the training, and the names of all that do; None when none does."""
        found = {
            joint: one
            for joint in range(len(self.joints))
            if (
                one := outside(
                    seen[:, joint],
                    trained[:, joint],
                    above=True,
                    chance=CHANCE / len(self.joints),
                    floor=float(floor[joint]),
                )
            )
        }
        if not found:
            return None
        worst = max(found, key=lambda joint: found[joint].typical / found[joint].limit)
        return worst, found[worst], tuple(self.joints[joint] for joint in found)


def _gripper(contract: Contract, train: Dataset, rollouts: Rollouts) -> Iterator[Symptom]:
    """How much the gripper is closed; where that is as in training, how often it closes, and when."""
    threshold, trained = contract.gripper_closed_threshold, contract.gripper_closed_share
    if threshold is None or not trained:
        return
    closed = np.array([closed_share(episode, threshold) for episode in rollouts.episodes])
    seldom = [
        *_seldom("gripper-seldom-closes", "closed", closed, trained, threshold),
        *_seldom("gripper-seldom-opens", "open", 1.0 - closed, 1.0 - trained, threshold),
    ]
    yield from seldom
    place = gripper_index(train.joint_names)
    if not seldom and place is not None and train.joint_names == rollouts.dataset.joint_names:
        yield from _grasps(train, rollouts, place, threshold)


def _seldom(name: str, state: str, shares: Array, trained: float, threshold: float) -> Iterator[Symptom]:
    """The gripper is `state` in less than half of its training share, whichever episodes are drawn."""
    share, (low, high) = float(shares.mean()), interval_of_mean(shares)
    if high < SELDOM * trained:
        yield Symptom(
            name=name,
            summary=f"The gripper is {state} in {100 * share:.0f} % ({100 * low:.0f}-{100 * high:.0f} %) "
            f"of the frames; in training it was in {100 * trained:.0f} %.",
            evidence=(
                Evidence(f"{state}, deployed", 100 * share, 100 * SELDOM * trained, "%"),
                Evidence(f"{state}, trained", 100 * trained, None, "%"),
                Evidence("closed below", threshold, None, ""),
            ),
        )


def _grasps(train: Dataset, rollouts: Rollouts, place: int, threshold: float) -> Iterator[Symptom]:
    counts, firsts = measure.closings_of(train.episodes, place, threshold)
    ours, begun = measure.closings_of(rollouts.episodes, place, threshold)
    if none := outside(ours, counts, above=False, floor=0.5):
        yield Symptom(
            "no-grasp",
            f"{none.share} close the gripper {_times(none.typical)}; in training it was closed {_times(none.usual)}.",
            none.evidence("closings", ""),
        )
    elif many := outside(ours, counts, above=True, floor=0.5):
        yield Symptom(
            "repeated-grasps",
            f"{many.share} close the gripper {_times(many.typical)} (middle of them); "
            f"in training it was closed {_times(many.usual)}.",
            many.evidence("closings", ""),
        )
    for above, name, word, bound in (
        (True, "late-grasp", "late", "by"),
        (False, "early-grasp", "early", "after"),
    ):
        if first := outside(begun, firsts, above=above, floor=0.2 * float(np.nanmedian(firsts) or 1.0)):
            yield Symptom(
                name,
                f"The gripper first closes {word} in {first.share}, after {first.typical:.1f} s in the middle one; "
                f"in training {bound} {first.extreme:.1f} s.",
                first.evidence("first close", "s"),
            )


def _other_poses(sides: Sides) -> Iterator[Symptom]:
    """Joints of the arm that are, or are commanded, elsewhere than in training for much of the time."""
    gripper = gripper_index(sides.joints)
    found: list[tuple[float, str, Evidence]] = []
    for kind, scale, columns in (
        ("measured", joint_scale(sides.train), "states"),
        ("commanded", action_scale(sides.train), "actions"),
    ):
        ours, theirs = (
            [getattr(episode, columns) / scale for episode in side.episodes]
            for side in (sides.rollouts, sides.train)
        )
        shift = compare_episodes(theirs, ours)
        limits = np.maximum(np.quantile(shift.single, USUAL_SHARE, axis=0), SMALLEST_DISTANCE)
        elsewhere = (shift.p <= ALIKE) & (shift.distance > limits)
        for joint in (one for one in np.flatnonzero(elsewhere) if one != gripper):
            away, limit = float(shift.distance[joint]), float(limits[joint])
            name = sides.joints[joint]
            found.append((away / limit, name, Evidence(f"{name}, {kind}", _rounded(away), _rounded(limit))))
    if found:
        found.sort(key=lambda entry: -entry[0])
        names = list(dict.fromkeys(name for _, name, _ in found))
        joint, several = sides.joints.index(names[0]), len(names) > 1
        yield Symptom(
            "other-poses",
            f"{_listed(names)} {'are' if several else 'is'} elsewhere than in training for much of the time"
            f"{f', {names[0]} most' if several else ''}: {_range(sides.rollouts.dataset, joint)} in the middle half of "
            f"the frames, in training {_range(sides.train, joint)}.",
            tuple(evidence for _, _, evidence in found),
        )


def _path(sides: Sides) -> Iterator[Symptom]:
    path = measure.Path.of(sides.train)
    ours, theirs = (
        np.array([100 * path.covered(episode) for episode in side.episodes])
        for side in (sides.rollouts, sides.train)
    )
    if short := outside(ours, theirs, above=False, floor=10.0):
        yield Symptom(
            "path-not-covered",
            f"{short.share} come through {short.typical:.0f} % of the poses on the training's path (middle of them); "
            f"training episodes through {short.extreme:.0f} % and more.",
            short.evidence("path covered", "%"),
        )


def _standstill(sides: Sides) -> Iterator[Symptom]:
    theirs = measure.standstill_s(sides.train.episodes, sides.train, [False] * len(sides.train.episodes))
    ours = measure.standstill_s(sides.rollouts.episodes, sides.train, sides.done)
    if long := outside(ours, theirs, above=True, floor=1.0):
        yield Symptom(
            "standstill",
            f"The arm stands still in {long.share}, for {long.typical:.1f} s at a time in the middle one; "
            f"in training up to {long.extreme:.1f} s.",
            long.evidence("longest standstill", "s"),
        )


def _jumps(sides: Sides) -> Iterator[Symptom]:
    """Steps between commands, at seams and elsewhere where the turns of the loop are known."""
    deployed, ticks = sides.rollouts.dataset, sides.rollouts.ticks
    theirs = measure.largest_steps(sides.train.episodes)
    per_frame = deployed.fps / sides.train.fps
    if len(ticks):
        at_seams, within = measure.largest_steps_in_chunks(deployed.episodes, ticks)
        looks = (("jumps-at-seams", "between one action chunk and the next", at_seams),
                 ("jumps-within-chunks", "within an action chunk", within))  # fmt: skip
    else:
        looks = (("jumps", "from one frame to the next", measure.largest_steps(deployed.episodes)),)
    floor = 0.02 * action_scale(sides.train)
    for name, where, steps in looks:
        if worst := sides.worst(steps * per_frame, theirs, floor=floor):
            joint, found, names = worst
            unit, called = sides.unit(joint), sides.joints[joint]
            yield Symptom(
                name,
                f"Commands jump {where} in {found.share}: {called} by {_amount(found.typical, unit)} in the middle one, "
                f"in training by no more than {_amount(found.extreme, unit)}.{_also(names, called)}",
                found.evidence(f"largest step of {called}", unit),
            )


def _shaking(sides: Sides) -> Iterator[Symptom]:
    """Less smooth, or back and forth."""
    train, episodes = sides.train, sides.rollouts.episodes
    smooth = outside(
        measure.smoothness(episodes, train), measure.smoothness(train.episodes, train), above=False
    )
    turns = outside(measure.reversals(episodes, train), measure.reversals(train.episodes, train), above=True)
    if turns:
        yield Symptom(
            "back-and-forth",
            f"Commands turn back and forth in {turns.share}: {turns.typical:.0f} turns a second over all joints in the "
            f"middle one; in training up to {turns.extreme:.0f}.",
            turns.evidence("turns a second", ""),
        )
    if smooth:
        yield Symptom(
            "less-smooth",
            f"The motion is less smooth in {smooth.share}: log dimensionless jerk {smooth.typical:.1f} in the middle "
            f"one; in training {smooth.extreme:.1f} and higher.",
            smooth.evidence("log dimensionless jerk", ""),
        )


def _beyond_training(sides: Sides) -> Iterator[Symptom]:
    """Commands that no training episode has: the policy goes over the edge of what it was shown."""
    train = sides.train
    low, high = np.nanmin(train.actions, axis=0), np.nanmax(train.actions, axis=0)
    ours = 100 * measure.overshoot(sides.rollouts.episodes, low, high, action_scale(train))
    theirs = 100 * measure.overshoot_of_others(train)
    if over := outside(ours, theirs, above=True, floor=5.0):
        yield Symptom(
            "commands-beyond-training",
            f"{over.share} command a joint to where no training episode did, by {over.typical:.0f} % of its range in "
            f"the middle one; training episodes go beyond each other by up to {over.extreme:.0f} %.",
            over.evidence("commands beyond", "%"),
        )


def _lag(sides: Sides) -> Iterator[Symptom]:
    ours, theirs = measure.lag(sides.rollouts.episodes), measure.lag(sides.train.episodes)
    if worst := sides.worst(ours, theirs, floor=0.02 * joint_scale(sides.train)):
        joint, found, names = worst
        unit, name = sides.unit(joint), sides.joints[joint]
        yield Symptom(
            "poor-tracking",
            f"{name} stays {_amount(found.typical, unit)} behind its command in {found.share} (middle of them, 95 % "
            f"of the frames); in training up to {_amount(found.extreme, unit)}.{_also(names, name)}",
            found.evidence(f"lag of {name}", unit),
        )


def _slow_loop(contract: Contract, rollouts: Rollouts) -> Iterator[Symptom]:
    rates = measure.loop_rates(rollouts.episodes, rollouts.ticks)
    rates = rates[np.isfinite(rates)]
    slow = rates[rates < SLOW * contract.fps]
    if len(slow) and len(slow) >= LEAST_SHARE * len(rates):
        rate = float(np.median(slow))
        yield Symptom(
            "slow-loop",
            f"The loop ran at {rate:.3g} Hz in {len(slow)} of {count(len(rates), 'episode')}; "
            f"the policy learned at {contract.fps:g} Hz.",
            (Evidence("rate of the loop", _rounded(rate), SLOW * contract.fps, "Hz"),),
        )


def _range(dataset: Dataset, joint: int) -> str:
    low, high = np.nanquantile(dataset.states[:, joint], [0.25, 0.75])
    return f"{low:.0f} to {high:.0f}"


def _times(number: float) -> str:
    whole = round(number)
    return {0: "never", 1: "once", 2: "twice"}.get(whole, f"{whole} times")


def _amount(value: float, unit: str) -> str:
    return f"{value:.1f} {unit}".rstrip()


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _also(names: Sequence[str], told: str) -> str:
    others = [name for name in names if name != told]
    return f" So {'does' if len(others) == 1 else 'do'} {_listed(others)}." if others else ""


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
