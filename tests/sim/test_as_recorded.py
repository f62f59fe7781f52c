"""The twin's options are told by what it recorded."""

import numpy as np
import pytest
from deployments import contract

from regrasp.data.rollouts import Outcome
from regrasp.data.station import TwinOptions
from regrasp.sim.as_recorded import as_recorded
from regrasp.sim.environment import Twin, TwinConfig


def outcomes(area, count=12):
    """Outcomes of demonstrations with the object where the twin lays it."""
    twin = Twin(TwinConfig(area=area))
    starts = [twin.reset(seed) for seed in range(count)]
    return [
        Outcome(number, True, 1.0, 4.0, initial={"object_x_m": one.object_x_m, "object_y_m": one.object_y_m})
        for number, one in enumerate(starts)
    ]


def known(instructions, deviation=3.0):
    """A contract with these instructions, whose demonstrations start so many degrees apart."""
    sound = contract()
    joints = [joint.model_copy(update={"start_std": deviation}) for joint in sound.joints]
    return sound.model_copy(update={"instructions": dict.fromkeys(instructions, 1), "joints": joints})


@pytest.mark.parametrize("area", ["2in", "6in"])
def test_the_area_is_the_smallest_that_holds_every_place(area):
    assert as_recorded(known(["Grab the brain"]), outcomes(area)).area == area


def test_nothing_is_said_of_an_area_without_places():
    assert as_recorded(known(["Grab the brain"]), ()).area is None


@pytest.mark.parametrize(
    ("instructions", "task"),
    [
        (["Grab the brain"], "grab-brain"),
        (["Put the brain in the bin"], "brain-to-bin"),
        (["Stir the soup"], None),
        (["Grab the brain", "Put the brain in the bin"], None),
        (["Grab the brain", "Stir the soup"], None),
    ],
)
def test_the_instruction_tells_the_task_where_it_is_the_only_one(instructions, task):
    assert as_recorded(known(instructions), ()).task == task


@pytest.mark.parametrize("starts", ["home", "scattered"])
def test_start_poses_that_lie_apart_were_scattered(starts):
    twin = Twin(TwinConfig(starts=starts))
    pans = [twin.reset(seed).joints[0] for seed in range(40)]
    assert as_recorded(known(["Grab the brain"], float(np.std(pans))), ()).starts == starts


@pytest.mark.parametrize(("width", "height", "size"), [(128, 128, 128), (640, 480, None)])
def test_the_size_is_that_of_the_cameras(width, height, size):
    sound = contract()
    cameras = [one.model_copy(update={"width": width, "height": height}) for one in sound.cameras]
    assert as_recorded(sound.model_copy(update={"cameras": cameras, "joints": []}), ()) == TwinOptions(
        task="grab-brain", size=size
    )
