"""Rollouts are compared in pairs where they began alike."""

from dataclasses import replace

from deployments import rollouts

from regrasp.cli.compare import compare


def laid(run, shift_m):
    """The object lay elsewhere in each start."""
    outcomes = tuple(
        replace(one, initial={"object_x_m": 0.2 + shift_m * one.episode, "gripper": float(shift_m)})
        for one in run.outcomes
    )
    return replace(run, outcomes=outcomes)


def test_the_same_starts_are_paired_whatever_else_differs():
    assert compare(rollouts(10), rollouts(10, successes=3)).paired == 10
    assert compare(laid(rollouts(10), 0.01), laid(rollouts(10), 0.01)).paired == 10


def test_the_same_seeds_with_the_object_elsewhere_are_other_starts():
    found = compare(laid(rollouts(10), 0.001), laid(rollouts(10), 0.003))
    assert found.paired == 0
