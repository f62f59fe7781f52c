"""Each cause that a deployment can have: named first, alone, proven by its probe, with the step that undoes it."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from deployments import NumpyPolicy, contract, rollouts, training

from regrasp import faults
from regrasp.diagnosis.address import Address
from regrasp.diagnosis.diagnose import judge
from regrasp.diagnosis.ranking import Status
from regrasp.faults.pictures import later_third

TRAIN = training()
KNOWN = contract(TRAIN)
ADDRESS = Address("runs/last", "twin", "again")


def diagnosed(deployed, policy=None):
    return judge(KNOWN, TRAIN, deployed, policy or NumpyPolicy(), ADDRESS)


def swapped(deployed):
    numbers = [episode.index for episode in deployed.episodes]
    return replace(deployed, dataset=faults.swapped_cameras(deployed.dataset, episodes=numbers))


DEPLOYED = {
    "instruction-mismatch": (faults.instruction_mismatch, {}),
    "swapped-cameras": (swapped, {}),
    "start-pose-shift": (faults.start_pose_shift, {}),
    "flipped-camera": (faults.flipped_camera, {}),
    "flipped-camera left-right": (faults.flipped_camera, {"turn": "left-right", "camera": "wrist"}),
    "flipped-camera upside-down": (faults.flipped_camera, {"turn": "upside-down"}),
    "unit-mismatch rad": (faults.unit_mismatch, {"unit": "rad"}),
    "unit-mismatch counts": (faults.unit_mismatch, {"unit": "counts"}),
    "exchanged-colours": (faults.exchanged_colours, {}),
    "exchanged-colours wrist": (faults.exchanged_colours, {"camera": "wrist"}),
    "inverted-gripper": (faults.inverted_gripper, {}),
    "changed-light": (faults.changed_light, {}),
    "changed-light brighter": (faults.changed_light, {"brightness": 1.5, "contrast": 0.7}),
    "changed-light warmer": (faults.changed_light, {"brightness": 1.0, "warmth": 1.8, "cameras": ["front"]}),
    "dark-camera": (faults.dark_camera, {}),
    "dark-camera white": (faults.dark_camera, {"camera": "wrist", "level": 253.0}),
    "missing-camera": (faults.missing_camera, {}),
    "moved-camera": (faults.moved_camera, {"right": 0.15, "camera": "front"}),
    "weak-grasp": (faults.weak_grasp, {}),
    "calibration-offset": (faults.calibration_offset, {"degrees": 14.0}),
    "moved-camera turned": (faults.moved_camera, {"right": 0.0, "turn_deg": 14.0, "camera": "wrist"}),
    "rate-mismatch": (faults.rate_mismatch, {}),
    "rate-mismatch twice": (faults.rate_mismatch, {"times": 2.0}),
    "rate-mismatch by the clock": (faults.rate_mismatch, {"times": 0.5, "by_the_clock": True}),
    "late-inference": (faults.late_inference, {"inference_s": 0.6, "n_action_steps": 5}),
    "replanning-jumps": (faults.replanning_jumps, {"joint": 2, "jump_deg": 40.0}),
}
"""What a deployment can suffer, by the name of its check and, after a space, the form."""

NEW = [name for name in DEPLOYED if name.split()[0] not in ("instruction-mismatch", "start-pose-shift")]

MOTION = ("rate-mismatch", "late-inference", "replanning-jumps", "weak-grasp", "calibration-offset")
"""Causes that change what the arm does with a plan, whatever the policy looks at."""


def injected(name, episodes, seed=1, successes=None):
    outcomes = rollouts(episodes, seed, successes).outcomes
    return replace(_suffered(name, episodes, seed), outcomes=outcomes)


@lru_cache(maxsize=2 * len(DEPLOYED))
def _suffered(name, episodes, seed):
    """The same recordings for each outcome, so that what is found out about their pictures is found out once."""
    fault, options = DEPLOYED[name]
    return fault(rollouts(episodes, seed), **options)


@pytest.mark.parametrize("name", DEPLOYED)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_right_cause_is_named_and_no_other(name, seed):
    found = diagnosed(injected(name, 12, seed, successes=1))
    assert found.verdict == name.split()[0]
    assert [cause.name for cause in found.causes] == [name.split()[0]]


@pytest.mark.parametrize("name", DEPLOYED)
def test_a_finding_names_the_rollouts_and_the_step(name):
    (cause,) = diagnosed(injected(name, 6, successes=0)).causes
    assert {number for finding in cause.findings for number in finding.where.episodes} == set(range(6))
    assert cause.fix.command or cause.fix.summary.endswith(".")


@pytest.mark.parametrize("name", DEPLOYED)
def test_without_a_failure_it_is_no_cause(name):
    found = diagnosed(injected(name, 6))
    assert found.verdict is None
    assert {cause.status for cause in found.causes} == {Status.NO_HARM}


@pytest.mark.parametrize("name", [name for name in NEW if name.split()[0] not in MOTION])
def test_a_policy_that_does_not_care_is_not_harmed(name):
    blind = NumpyPolicy(blind_to=frozenset({"front", "wrist", "state"}))
    (cause,) = diagnosed(injected(name, 6, successes=0), blind).causes
    assert (cause.name, cause.status) == (name.split()[0], Status.NO_EFFECT)


@pytest.mark.parametrize(
    "name",
    [
        "flipped-camera",
        "exchanged-colours",
        "inverted-gripper",
        "changed-light",
        "dark-camera",
        "missing-camera",
    ],
)
def test_a_fault_in_some_rollouts_is_named_there(name):
    fault, options = DEPLOYED[name]
    deployed = rollouts(12, successes=8)
    late = later_third(deployed.dataset)
    found = diagnosed(fault(deployed, **options, episodes=late))
    assert found.verdict == name
    assert found.causes[0].findings[0].where.episodes == tuple(late)
    probe = found.causes[0].probe
    assert probe.episodes == (len(TRAIN.episodes) if probe.simulated else len(late))


@pytest.mark.parametrize("one", NEW)
def test_a_wrong_instruction_beside_it_is_named_too(one):
    found = diagnosed(faults.instruction_mismatch(injected(one, 12, successes=0)))
    proven = {cause.name for cause in found.causes if cause.status is Status.CAUSE}
    assert proven == {one.split()[0], "instruction-mismatch"}


@pytest.mark.parametrize("name", ["dark-camera", "missing-camera"])
def test_what_cannot_be_brought_back_is_said_to_be_tried_on_training_starts(name):
    (cause,) = diagnosed(injected(name, 6, successes=0)).causes
    assert cause.reason.startswith("Done to training starts too, ")


def test_what_another_cause_hides_is_seen_beside_it():
    """A policy that heeds a camera only where its arm starts as in training."""

    class Heedless(NumpyPolicy):
        def chunks(self, batch):
            plan = super().chunks(batch)
            lost = np.abs(batch.states[:, 0] - TRAIN.episodes[0].states[0, 0]) > 30
            plan[lost] = 0.0
            return plan

    shifted = faults.start_pose_shift(rollouts(12, successes=0))
    found = diagnosed(faults.flipped_camera(shifted), Heedless())
    proven = {cause.name for cause in found.causes if cause.status.proven}
    assert {"start-pose-shift", "flipped-camera"} <= proven


@pytest.mark.parametrize("camera", ["front", "wrist"])
def test_a_camera_that_froze_after_the_first_frame_is_suspected_alone(camera):
    found = diagnosed(faults.frozen_camera(rollouts(6, successes=0), camera=camera, first=1))
    assert found.verdict is None
    assert [(cause.name, cause.status) for cause in found.causes] == [("frozen-camera", Status.SUSPECTED)]
    assert found.causes[0].findings[0].where.camera == camera
