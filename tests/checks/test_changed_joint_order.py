"""The robot's joints have other names, or come in another order, than in training."""

from dataclasses import replace

import pytest
from deployments import contract, live

from regrasp import faults
from regrasp.arm.so101 import JOINTS
from regrasp.checks.changed_joint_order import changed_joint_order
from regrasp.diagnosis.check import Undecided

KNOWN = contract()


def test_two_exchanged_joints_are_reported_with_both_orders():
    (finding,) = changed_joint_order(KNOWN, faults.changed_joint_order(live()))
    assert finding.summary == (
        "The robot's joints come in another order: shoulder_pan, elbow_flex, shoulder_lift, wrist_flex, wrist_roll, "
        "gripper; the training data have shoulder_pan, shoulder_lift, elbow_flex, wrist_flex, wrist_roll, gripper."
    )
    assert finding.evidence[0].value == 2
    assert ", ".join(JOINTS) in finding.fix.summary


def test_the_same_order_is_fine():
    assert not list(changed_joint_order(KNOWN, live()))


def test_other_names_are_told_apart_from_another_order():
    renamed = replace(live(), joint_names=("base", *JOINTS[1:]))
    (finding,) = changed_joint_order(KNOWN, renamed)
    assert finding.summary.startswith("The robot's joints have other names: base,")


def test_a_missing_joint_is_counted():
    short = replace(live(), joint_names=JOINTS[:5], joints=live().joints[:5])
    (finding,) = changed_joint_order(KNOWN, short)
    assert finding.summary.startswith("The robot has 5 joints: ")
    assert finding.evidence[0].value == 1


def test_a_robot_that_does_not_name_its_joints_is_undecided():
    with pytest.raises(Undecided):
        list(changed_joint_order(KNOWN, replace(live(), joint_names=())))
