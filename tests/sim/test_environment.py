"""The twin: beginnings, time, pictures, and the same bytes for the same seed."""

import numpy as np
import pytest

from regrasp.arm.so101 import HOME, HOME_SPREAD, LIMITS
from regrasp.errors import DeviceError, UsageError
from regrasp.sim.environment import Twin, TwinConfig
from regrasp.sim.scene import AREA_CENTRE, AREAS, HIDDEN_GROUP, Appearance


def run(twin, seed, frames=15):
    """Joints and pictures of a short episode, as bytes."""
    twin.reset(seed)
    seen = []
    for frame in range(frames):
        twin.step(HOME + frame * np.array([1.0, 1.0, -1.0, 0.0, 1.0, 2.0]))
        seen.append(twin.joints().tobytes())
    return b"".join(seen) + twin.render("front").tobytes() + twin.render("wrist").tobytes()


def test_the_same_seed_gives_the_same_bytes(twin):
    first = run(twin, 5)
    run(twin, 6)
    assert run(twin, 5) == first
    with Twin(TwinConfig()) as another:
        assert run(another, 5) == first


def test_another_seed_gives_another_episode(twin):
    assert run(twin, 5) != run(twin, 6)


def test_looking_changes_nothing(twin):
    twin.reset(1)
    twin.step(HOME)
    front = twin.render("front")
    twin.render("wrist")
    assert (twin.render("front") == front).all()


@pytest.mark.parametrize("fps", [20, 30, 50])
def test_a_step_takes_exactly_one_frame(fps):
    twin = Twin(TwinConfig(fps=fps))
    for _ in range(fps):
        twin.step(HOME)
    assert twin.data.time == pytest.approx(1.0)
    assert twin.tick == fps


def test_episodes_start_folded_at_home(twin):
    starts = np.array([twin.reset(seed).joints for seed in range(60)])
    assert starts.mean(0) == pytest.approx(HOME, abs=1.0)
    assert (np.abs(starts - HOME) < 4 * HOME_SPREAD + 0.5).all()
    assert starts[:, 0].std() == pytest.approx(3.0, abs=0.8)


def test_the_folded_arm_rests_where_it_is_and_touches_nothing(twin):
    start = twin.reset(0).joints
    bodies = twin.model.geom_bodyid[twin.data.contact.geom]
    toy, world = twin.model.body("toy").id, 0
    assert set(np.unique(bodies)) <= {toy, world}
    assert twin.scene().hand[2] > 0.015
    for _ in range(30):
        twin.step(start)
    assert twin.joints() == pytest.approx(start, abs=2.0)


def test_scattered_starts_are_spread_wide_and_stay_clear_of_the_table():
    twin = Twin(TwinConfig(starts="scattered"))
    starts, heights = [], []
    for seed in range(40):
        starts.append(twin.reset(seed).joints)
        heights.append(twin.scene().hand[2])
    starts = np.array(starts)
    assert starts[:, 0].min() < -90
    assert starts[:, 0].max() > 0
    assert starts[:, 5].min() > 2
    assert starts[:, 5].max() < 41
    assert (starts.std(0)[:5] > 15).all()
    assert min(heights) > 0.06
    assert (starts >= LIMITS[:, 0] - 1).all()
    assert (starts <= LIMITS[:, 1] + 1).all()


@pytest.mark.parametrize("area", AREAS)
def test_the_toy_lies_anywhere_in_the_area_turned_by_any_angle(area):
    twin = Twin(TwinConfig(area=area))
    begun = [twin.reset(seed) for seed in range(80)]
    place = np.array([(b.object_x_m, b.object_y_m) for b in begun]) - AREA_CENTRE
    half = AREAS[area] / 2
    assert (np.abs(place) <= half).all()
    assert (np.abs(place).max(0) > 0.9 * half).all()
    assert np.std([b.object_yaw_deg for b in begun]) > 25
    toys = np.array([twin.reset(b.seed) and twin.scene().toy for b in begun[:5]])
    assert toys[:, :2] == pytest.approx(place[:5] + AREA_CENTRE, abs=0.004)


def test_joints_are_degrees_and_the_gripper_a_hundred_when_open(twin):
    twin.reset(0)
    wanted = np.array([30.0, -20.0, 30.0, 60.0, -90.0, 100.0])
    for _ in range(90):
        twin.step(wanted)
    assert twin.joints() == pytest.approx(wanted, abs=3.0)


def test_both_cameras_give_pictures_of_the_asked_size():
    with Twin(TwinConfig(width=128, height=72)) as twin:
        twin.reset(0)
        front, wrist = twin.render("front"), twin.render("wrist")
    assert front.shape == wrist.shape == (72, 128, 3)
    assert front.dtype == np.uint8
    assert np.abs(front.astype(int) - wrist).mean() > 10


@pytest.mark.parametrize("view", ["front", "wrist"])
def test_no_helper_is_visible(view):
    with Twin(TwinConfig()) as twin:
        twin.reset(0)
        before = twin.render(view)
        twin.model.site_rgba[:] = [1, 0, 1, 1]
        twin.model.geom_rgba[twin.model.geom_group >= 3] = [1, 0, 1, 1]
        assert twin.model.site("tcp").group == HIDDEN_GROUP
        assert (twin.render(view) == before).all()


def test_the_front_camera_sees_where_the_toy_lies(twin):
    pictures = []
    for seed in (0, 1):
        twin.reset(seed)
        pictures.append(twin.render("front").astype(int))
    pink = [(p[..., 0] - p[..., 1] > 50) & (p[..., 2] - p[..., 1] > 10) for p in pictures]
    centres = [np.argwhere(mask).mean(0) for mask in pink]
    assert min(mask.sum() for mask in pink) > 40
    assert np.linalg.norm(centres[0] - centres[1]) > 2


@pytest.mark.parametrize(
    "change",
    [
        {"light": 0.5},
        {"table_rgb": (0.2, 0.3, 0.2)},
        {"front_shift_m": (0.0, 0.03, 0.0)},
        {"toy_rgb": (0.2, 0.2, 0.9)},
    ],
)
def test_another_place_looks_different(twin, change):
    twin.reset(0)
    with Twin(TwinConfig(appearance=Appearance(**change))) as other:
        other.reset(0)
        assert (other.render("front") != twin.render("front")).mean() > 0.01


def test_turning_the_wrist_camera_moves_its_picture(twin):
    twin.reset(0)
    with Twin(TwinConfig(appearance=Appearance(wrist_turn_deg=(0.0, 0.0, 10.0)))) as other:
        other.reset(0)
        assert np.abs(other.render("wrist").astype(int) - twin.render("wrist")).mean() > 3
        assert (other.render("front") == twin.render("front")).all()


def test_closing_one_twin_leaves_the_pictures_of_another_alone(twin):
    twin.reset(0)
    before = twin.render("front")
    for closed in (True, False):
        other = Twin(TwinConfig(appearance=Appearance(table_rgb=(0.1, 0.1, 0.5))))
        other.render("front")
        twin.render("front")
        if closed:
            other.close()
        del other
        assert (twin.render("front") == before).all()


def test_a_closed_twin_draws_again_when_asked():
    twin = Twin(TwinConfig())
    before = twin.render("front")
    twin.close()
    assert (twin.render("front") == before).all()
    twin.close()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"task": "fold-shirt"}, "Found task 'fold-shirt'; expected one of grab-brain, brain-to-bin."),
        ({"area": "9in"}, "Found area '9in'; expected one of 2in, 6in."),
        ({"starts": "up"}, "Found starts 'up'; expected one of home, scattered."),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(change, sentence):
    with pytest.raises(UsageError) as caught:
        TwinConfig(**change)
    assert str(caught.value) == sentence


def test_a_command_that_is_no_number_is_refused(twin):
    twin.reset(0)
    with pytest.raises(DeviceError) as caught:
        twin.step(np.array([0.0, np.nan, 0.0, 0.0, 0.0, 0.0]))
    assert (
        str(caught.value) == "Found command [0.0, nan, 0.0, 0.0, 0.0, 0.0]; expected 6 finite joint values."
    )
    assert twin.tick == 0


def test_configurations_can_be_compared_and_kept_in_sets():
    assert TwinConfig() == TwinConfig()
    assert len({TwinConfig(), TwinConfig(), TwinConfig(appearance=Appearance(light=0.5))}) == 2
