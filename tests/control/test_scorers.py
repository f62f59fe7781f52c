"""How an episode went: by a person's key, or by what a camera shows where the goal is."""

from dataclasses import replace

import numpy as np
import pytest
from dataset_folder import write_v3
from sound_dataset import sound_dataset

from regrasp.control import Decision, Tick
from regrasp.control.scorers import HOLD_S, Goal, GoalScorer, KeyScorer, learn_goal
from regrasp.data.episode import Camera
from regrasp.errors import UsageError

WHOLE = (0.0, 0.0, 1.0, 1.0)
FPS = 10


def tick(index, picture=None):
    seen = {} if picture is None else {"front": picture}
    return Tick(index, index / FPS, seen, Decision(np.zeros(6), 1.0, 0, index), np.zeros(6), False)


def scene(rng, *, done, light=1.0):
    """A grey table; when done, a bright thing lies right of its middle."""
    picture = rng.normal(90, 6, (48, 64, 3)) + np.linspace(0, 30, 64)[None, :, None]
    if done:
        row, column = rng.integers(18, 24), rng.integers(40, 46)
        picture[row : row + 8, column : column + 8] += 100
    return (light * picture).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def goal():
    rng = np.random.default_rng(0)
    episodes = [
        (np.stack([scene(rng, done=False) for _ in range(4)]), scene(rng, done=True)) for _ in range(30)
    ]
    return Goal.learned("front", (0.5, 0.0, 1.0, 1.0), episodes)


@pytest.mark.parametrize(
    ("keys", "success"), [("s", True), ("f", False), ("S", True), ("xy ", None), ("", None)]
)
def test_a_key_decides(keys, success):
    pressed = list(keys)
    scorer = KeyScorer(lambda: pressed.pop(0) if pressed else "")
    pressed, waiting = [], pressed
    scorer.reset()
    for index in range(4):
        pressed.extend(waiting[index : index + 1])
        scorer.watch(tick(index))
    scorer.time_is_up()
    assert scorer.success is success


def test_q_stops_at_once_whatever_was_said_before():
    pressed = ["s", "Q"]
    scorer = KeyScorer(lambda: pressed.pop(0) if pressed else "")
    scorer.watch(tick(0))
    with pytest.raises(KeyboardInterrupt):
        scorer.watch(tick(1))


def test_a_key_pressed_before_the_episode_says_nothing_of_it():
    pressed = ["s", "s"]
    scorer = KeyScorer(lambda: pressed.pop(0) if pressed else "")
    scorer.reset()
    scorer.watch(tick(0))
    assert scorer.success is None


def test_the_first_key_counts():
    pressed = ["f", "s"]
    scorer = KeyScorer(lambda: pressed.pop(0) if pressed else "")
    scorer.watch(tick(0))
    scorer.watch(tick(1))
    assert scorer.success is False


def test_the_goal_is_known_again_in_other_light(goal):
    rng = np.random.default_rng(1)
    for light in (0.7, 1.0, 1.2):
        seen = [goal.reached(scene(rng, done=True, light=light)) for _ in range(40)]
        assert np.mean(seen) > 0.75
        assert not any(goal.reached(scene(rng, done=False, light=light)) for _ in range(40))


def test_what_looks_like_neither_is_no_goal(goal):
    strange = np.random.default_rng(2).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    assert not goal.reached(strange)


def test_the_goal_must_stay_for_a_while_and_is_a_success_then(goal):
    scorer, held = GoalScorer(goal, FPS), round(HOLD_S * FPS)
    done = next(p for p in (scene(np.random.default_rng(i), done=True) for i in range(9)) if goal.reached(p))
    empty = scene(np.random.default_rng(3), done=False)
    for picture in [done] * (held - 1) + [empty] + [done] * (held - 1):
        scorer.watch(tick(0, picture))
    assert scorer.success is None
    scorer.watch(tick(0, done))
    assert scorer.success is True
    scorer.reset()
    assert scorer.success is None


def test_a_goal_that_was_not_seen_in_time_is_a_failure(goal):
    scorer = GoalScorer(goal, FPS)
    scorer.watch(tick(0, scene(np.random.default_rng(4), done=False)))
    assert scorer.success is None
    scorer.time_is_up()
    assert scorer.success is False


def test_a_region_that_does_not_change_is_refused():
    rng = np.random.default_rng(5)
    episodes = [
        (np.stack([scene(rng, done=False) for _ in range(4)]), scene(rng, done=True)) for _ in range(20)
    ]
    with pytest.raises(
        UsageError, match=r"The region 0,0,0\.4,1 of camera 'front' looks like a successful end in"
    ):
        Goal.learned("front", (0.0, 0.0, 0.4, 1.0), episodes)


def test_eight_episodes_are_too_few():
    rng = np.random.default_rng(6)
    episodes = [(np.stack([scene(rng, done=False)]), scene(rng, done=True)) for _ in range(8)]
    with pytest.raises(UsageError) as raised:
        Goal.learned("front", WHOLE, episodes)
    assert str(raised.value) == (
        "Found 8 successful episodes to learn the goal from; expected 9 or more. Name a larger recording with "
        "--goal-from."
    )


def test_it_is_learned_from_the_ends_of_a_recording(tmp_path):
    rng = np.random.default_rng(7)
    data = sound_dataset(0, 10, seconds=0.5, cameras=False)
    filmed = [
        replace(episode, cameras={"front": Camera.from_array("front", film(rng, episode.length), data.fps)})
        for episode in data.episodes
    ]
    made = replace(data, episodes=tuple(filmed), camera_names=("front",))
    folder = write_v3(made, tmp_path / "d", video=False)
    found = learn_goal(folder, "front", WHOLE)
    assert (len(found.ends), found.alike) == (10, 0.0)
    assert not found.reached(scene(rng, done=False))
    with pytest.raises(UsageError, match=r"Found no camera 'top' in .*; expected one of front"):
        learn_goal(folder, "top", WHOLE)


def film(rng, length):
    """The last third of it shows the goal."""
    return np.stack([scene(rng, done=3 * index >= 2 * length) for index in range(length)])
