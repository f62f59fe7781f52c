"""Demonstrations grasp in too few places.

## What it detects
All grasps at one place, or at two or three; or a hole in the area in which grasps lie that is larger than chance leaves.

## Why it matters
A policy that saw one place need not look: it repeats one motion, and misses as soon as the object lies elsewhere. In
a hole between demonstrations it has to guess. Policies reach where demonstrations are dense, and fail at their
edges and gaps.

## How it decides
A grasp is the moment in which the jaws have closed on something. On an SO-101 whose joints are in degrees the
joints tell where the hand was, to a centimetre.

*Few places*: nine of ten grasps lie within 1 cm of one, two or three of them that are at least 4 cm apart, with at
least four grasps to a place. One place may be meant, and is worth knowing; two or three are a warning.

*A hole*: the largest circle within the outline of the grasps that holds none has a radius of at least 3 cm, and of
1.3 times the largest that as many places at random leave in 60 trials. The outline is that of the places both in the
plane and as the arm turns, so that an arc around the arm is no hole.

With other robots or units the poses of the grasps are compared: a place means that all joints but the gripper are
within 1 % of their working range. Holes cannot be seen then.

## What can fool it
A fixture that holds the object in one place, on purpose. Objects of several kinds, each with its own place. Where
nothing is ever grasped, `idle-gripper` says so, and this check is silent.

## How to fix it
`regrasp coverage` shows the map and lists the places to record next. Twenty episodes spread over the area
teach more than two hundred in one spot.
"""

from collections.abc import Iterator
from shlex import quote

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.kinematics import LINKS
from regrasp.data import Dataset
from regrasp.data.grasps import Grasp
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.coverage import grasp_places, known_grasps, require_positions
from regrasp.diagnosis.signals import gripper_joints, joint_scale
from regrasp.stats.coverage import Area, count_places, largest_hole

NINE_OF_TEN = 0.9


@check(severity=Severity.WARNING)
def thin_coverage(
    dataset: Dataset,
    *,
    place_cm: float = 1.0,
    place_share: float = 0.01,
    most_places: int = 3,
    min_hole_cm: float = 3.0,
    beyond_chance: float = 1.3,
    min_grasps: int = 4,
) -> Iterator[Finding]:
    """Report that all grasps lie at few places, or else the largest hole between them."""
    grasps = known_grasps(dataset)
    try:
        require_positions(dataset)
        grasps, tips = grasp_places(grasps)
    except Undecided:
        tips = None
    if not gripper_joints(dataset.joint_names):
        raise Undecided("sees no grasp: no joint is called gripper")
    if not grasps and len(dataset.episodes) >= min_grasps:
        return  # the gripper's own check says so
    if len(grasps) < min_grasps:
        raise Undecided(f"needs {min_grasps} grasps to see how they spread, got {len(grasps)}")
    episodes = tuple(sorted({grasp.episode for grasp in grasps}))
    most = min(most_places, len(grasps) // min_grasps)
    if tips is None:
        few = count_places(_poses(dataset, grasps), place_share, NINE_OF_TEN, most=most, order=np.inf)
        near = Evidence("of the working range, around each place", 100 * place_share, 100 * place_share, "%")
    else:
        few = count_places(tips[:, :2], place_cm / 100, NINE_OF_TEN, most=most)
        near = Evidence("around each place", place_cm, place_cm, "cm")
    if few is not None:
        yield _few_places(dataset, episodes, len(grasps), few, most, near)
    elif tips is not None:
        yield from _hole(dataset, tips[:, :2], episodes, min_hole_cm, beyond_chance)


def _poses(dataset: Dataset, grasps: tuple[Grasp, ...]) -> NDArray[np.float64]:
    """Body joints at each grasp as a share of their working range, [N, J]; NaN becomes 0."""
    grippers = gripper_joints(dataset.joint_names)
    body = [joint for joint in range(len(dataset.joint_names)) if joint not in grippers]
    poses = np.array([grasp.pose for grasp in grasps])[:, body]
    return np.nan_to_num(poses / joint_scale(dataset)[body])


def _few_places(
    dataset: Dataset, episodes: tuple[int, ...], grasps: int, few: int, most: int, near: Evidence
) -> Finding:
    one = few == 1
    where = "at one place: the policy need not look" if one else f"at {few} places, and nothing between them"
    return Finding(
        severity=Severity.INFO if one else Severity.WARNING,
        summary=f"Nine of ten of the {grasps} grasps are {where}.",
        where=Where(episodes),
        evidence=(Evidence("places", few, most), near),
        fix=Fix(
            "Unless the object will always lie there, record more with it elsewhere in the area to be covered.",
            f"regrasp coverage {quote(str(dataset.path))} --area 6in",
        ),
    )


def _hole(
    dataset: Dataset,
    places: NDArray[np.float64],
    episodes: tuple[int, ...],
    min_hole_cm: float,
    beyond_chance: float,
) -> Iterator[Finding]:
    hole = largest_hole(places, Area.around(places, LINKS[0][1][:2]), worth_m=min_hole_cm / 100)
    limit_cm = max(min_hole_cm, 100 * beyond_chance * hole.by_chance_m)
    if 100 * hole.radius_m > limit_cm:
        yield Finding(
            summary=(
                f"Nothing is grasped within {100 * hole.radius_m:.1f} cm of (x, y) = ({hole.x_m:.3f}, {hole.y_m:.3f})"
                f" m, amid the {len(places)} places where something is."
            ),
            where=Where(episodes),
            evidence=(Evidence("radius of the hole", 100 * hole.radius_m, limit_cm, "cm"),),
            fix=Fix("Record more episodes there.", f"regrasp coverage {quote(str(dataset.path))}"),
        )
