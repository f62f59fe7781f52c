"""Demonstrations grasp in too few places.

## What it detects
All grasps at one place; or a hole in the area in which grasps lie that is larger than chance leaves.

## Why it matters
A policy that saw one place need not look: it repeats one motion, and misses as soon as the object lies elsewhere. In
a hole between demonstrations it has to guess. Policies reach where demonstrations are dense, and fail at their
edges and gaps.

## How it decides
A grasp is the moment in which the jaws have closed on something. On an SO-101 whose joints are in degrees the
joints tell where the hand was, to a centimetre. *One place*: nine of ten grasps within 1 cm of their
median. *A hole*: the largest circle within the outline of the grasps that holds none has a radius of at least
3 cm, and of 1.3 times the largest that as many places at random leave in 60 trials. The outline is that
of the places both in the plane and as the arm turns, so that an arc around the arm is no hole.

With other robots or units the poses of the grasps are compared: one place means that nine of ten grasps are
within 1 % of the working range in every joint, the gripper apart. Holes cannot be seen then.

## What can fool it
A fixture that holds the object in one place, on purpose. Objects of several kinds, each with its own place. Where
nothing is ever grasped, `idle-gripper` says so, and this check is silent.

## How to fix it
`regrasp coverage` shows the map and lists the places to record next. Twenty episodes spread over the area
teach more than two hundred in one spot.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.kinematics import LINKS
from regrasp.data import Dataset
from regrasp.data.grasps import Grasp
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.coverage import grasp_places, known_grasps, require_positions
from regrasp.diagnosis.signals import gripper_joints, joint_scale
from regrasp.stats.coverage import Area, largest_hole

NINE_OF_TEN = 0.9


@check(severity=Severity.WARNING)
def thin_coverage(
    dataset: Dataset,
    *,
    one_place_cm: float = 1.0,
    one_place_share: float = 0.01,
    min_hole_cm: float = 3.0,
    beyond_chance: float = 1.3,
    min_grasps: int = 4,
) -> Iterator[Finding]:
    """Report that all grasps lie at one place, or the largest hole between them."""
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
    if tips is None:
        yield from _one_pose(dataset, grasps, episodes, one_place_share)
        return
    places = tips[:, :2]
    spread_cm = 100 * float(
        np.quantile(np.linalg.norm(places - np.median(places, axis=0), axis=1), NINE_OF_TEN)
    )
    if spread_cm < one_place_cm:
        yield _one_place(dataset, episodes, Evidence("9 of 10 grasps within", spread_cm, one_place_cm, "cm"))
    else:
        yield from _hole(dataset, places, episodes, min_hole_cm, beyond_chance)


def _one_pose(
    dataset: Dataset, grasps: tuple[Grasp, ...], episodes: tuple[int, ...], share: float
) -> Iterator[Finding]:
    body = [j for j in range(len(dataset.joint_names)) if j not in gripper_joints(dataset.joint_names)]
    poses = np.array([grasp.pose for grasp in grasps])[:, body]
    away = np.abs(poses - np.nanmedian(poses, axis=0)) / joint_scale(dataset)[body]
    spread = float(np.quantile(np.nanmax(away, axis=1), NINE_OF_TEN))
    if spread < share:
        evidence = Evidence("9 of 10 grasps within, of the working range", 100 * spread, 100 * share, "%")
        yield _one_place(dataset, episodes, evidence)


def _one_place(dataset: Dataset, episodes: tuple[int, ...], evidence: Evidence) -> Finding:
    return Finding(
        severity=Severity.INFO,
        summary=f"All {len(episodes)} episodes that grasp do so at one place: the policy need not look.",
        where=Where(episodes),
        evidence=(evidence,),
        fix=Fix(
            "Unless the object will always lie there, record more with it elsewhere in the area that is to be "
            "covered.",
            f"regrasp coverage {dataset.path} --area 6in",
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
            fix=Fix("Record more episodes there.", f"regrasp coverage {dataset.path}"),
        )
