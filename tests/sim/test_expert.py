"""The scripted demonstrator."""

import numpy as np
import pytest

from regrasp.sim.environment import Twin, TwinConfig
from regrasp.sim.expert import Expert
from regrasp.sim.kinematics import Kinematics
from regrasp.sim.scene import AREA_CENTRE


@pytest.mark.parametrize("area", ["2in", "6in"])
def test_it_grabs_the_toy_wherever_it_lies(area, demonstrate):
    twin = Twin(TwinConfig(area=area))
    for seed in range(100, 110):
        actions, _ = demonstrate(twin, seed)
        assert twin.success, f"seed {seed}"
        assert 100 < len(actions) < 200


def test_it_starts_from_anywhere(demonstrate):
    twin = Twin(TwinConfig(area="6in", starts="scattered"))
    for seed in range(5):
        demonstrate(twin, seed)
        assert twin.success, f"seed {seed}"


@pytest.mark.parametrize("area", ["2in", "6in"])
def test_it_puts_the_toy_into_the_bin(area, demonstrate):
    twin = Twin(TwinConfig(task="brain-to-bin", area=area))
    for seed in range(3):
        demonstrate(twin, seed)
        assert twin.success, f"seed {seed}"


def test_the_same_seed_demonstrates_the_same_bytes(twin, demonstrate):
    first, again = demonstrate(twin, 3), demonstrate(twin, 3)
    assert [series.tobytes() for series in first] == [series.tobytes() for series in again]


def test_demonstrations_differ_in_pace_and_path(twin, demonstrate):
    lengths = {len(demonstrate(twin, seed)[0]) for seed in range(6)}
    assert len(lengths) >= 4


def test_commands_step_no_further_than_those_of_people(twin, demonstrate):
    for seed in range(5):
        actions, _ = demonstrate(twin, seed)
        assert 2.0 < np.abs(np.diff(actions, axis=0)).max() < 13.0


def test_it_squeezes_the_toy_with_a_command_below_the_state(twin, demonstrate):
    actions, states = demonstrate(twin, 1)
    assert (states[-10:, 5] - actions[-10:, 5] > 5.0).all()
    assert states[-1, 5] > 10.0


def test_it_never_rests_for_long(twin, demonstrate):
    _, states = demonstrate(twin, 2)
    still = np.abs(np.diff(states, axis=0)).max(1) < 0.3
    longest = max(len(run) for run in "".join("x" if s else " " for s in still).split(" "))
    assert longest < 30


def test_without_tremor_the_path_is_smooth(twin, demonstrate):
    rough, _ = demonstrate(twin, 4)
    smooth, _ = demonstrate(twin, 4, tremor_deg=0.0)
    jerk = [np.abs(np.diff(series[:60, :5], n=3, axis=0)).mean() for series in (rough, smooth)]
    assert jerk[1] < 0.5 * jerk[0]


def test_after_its_end_the_last_command_is_repeated(twin):
    twin.reset(0)
    expert = Expert(twin, np.random.default_rng(0), tremor_deg=0.0)
    while not expert.done:
        last = expert.act()
        twin.step(last)
    assert (expert.act() == last).all()


@pytest.mark.parametrize(
    "corner", [(-0.076, -0.076), (-0.076, 0.076), (0.076, -0.076), (0.076, 0.076), (0, 0)]
)
@pytest.mark.parametrize("turn_deg", [-60, 0, 60])
def test_inverse_kinematics_reaches_every_corner_pointing_down(corner, turn_deg):
    kinematics = Kinematics()
    kinematics.start_from(np.radians([0.0, -20.0, 40.0, 75.0, -90.0, 50.0]))
    place = np.array([AREA_CENTRE[0] + corner[0], AREA_CENTRE[1] + corner[1], 0.019])
    across = np.arctan2(place[1], place[0]) - np.pi / 2 + np.radians(turn_deg)
    assert kinematics.hand(kinematics.reach(place, across)) == pytest.approx(place, abs=0.002)
