"""How true the twin is: recorded commands of real arms replayed on it, and its demonstrations beside theirs.

    ./run python benchmarks/twin_truth.py FOLDER

FOLDER holds LeRobot datasets of SO-101 arms. Recordings in -100..100 are turned into degrees by the step of
their encoders: a turn has 4096, and both units have their zero in the middle of the range. Lags are in frames
of 1/30 s. "ideal" is the model without imperfections, "twin" the one fitted.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import GRIPPER, JOINTS
from regrasp.data import Dataset, read_dataset
from regrasp.errors import RegraspError
from regrasp.sim.environment import Twin, TwinConfig
from regrasp.sim.expert import Expert
from regrasp.sim.free_space import lag_s, replay
from regrasp.sim.imperfections import ENCODER_STEP_DEG, IDEAL, Imperfections

EPISODES = 6
"""Per dataset: enough frames, in a minute."""

UNFOLLOWED_DEG = 40.0
"""A joint that is further away than this in the median is disconnected: it says nothing about servos."""

IDLE_DEG = 0.3
"""A frame in which no joint moves further."""


@dataclass(frozen=True)
class Recording:
    """States and actions of some episodes, in degrees."""

    name: str
    fps: float
    states: tuple[NDArray[np.float64], ...]
    actions: tuple[NDArray[np.float64], ...]


def main() -> None:
    options = argparse.ArgumentParser(description="How true the twin is.")
    options.add_argument("folder", type=Path, help="folder of LeRobot datasets of SO-101 arms")
    recordings = read_all(options.parse_args().folder)
    for recording in recordings:
        report_replay(recording)
    print("\nDemonstrations beside each other (degrees; gripper 0-100)")
    print(f"{'':26s} {'one-step jumps of actions, p99 (max)':<66s} idle   median |action - state|")
    for recording in [*recordings, demonstrations(40)]:
        report_manner(recording)


def read_all(folder: Path) -> list[Recording]:
    """Every dataset in `folder` whose joints are those of an SO-101."""
    recordings = []
    for path in sorted(folder.iterdir()):
        try:
            dataset = read_dataset(path, video=False)
        except RegraspError:
            continue
        if tuple(name.removesuffix(".pos") for name in dataset.joint_names) == JOINTS:
            recordings.append(in_degrees(dataset))
    return recordings


def in_degrees(dataset: Dataset) -> Recording:
    """The first episodes, in degrees whatever unit they were recorded in."""
    scale = np.ones(len(JOINTS))
    for joint in range(GRIPPER):
        scale[joint] = ENCODER_STEP_DEG / encoder_step(dataset.states[:, joint])
    scale[np.abs(scale - 1.0) < 0.01] = 1.0
    chosen = dataset.episodes[:EPISODES]
    states, actions = tuple(e.states * scale for e in chosen), tuple(e.actions * scale for e in chosen)
    return Recording(dataset.path.name, dataset.fps, states, actions)


def encoder_step(values: NDArray[np.float64]) -> float:
    """The step of which all differences between values are multiples."""
    gaps = np.diff(np.unique(np.round(values, 4)))
    gaps = gaps[gaps > 0.02]
    candidates = np.linspace(0.9, 1.1, 2001) * gaps.min()
    misfits = [np.abs(gaps / step - np.round(gaps / step)).mean() for step in candidates]
    return float(candidates[int(np.argmin(misfits))])


def report_replay(recording: Recording) -> None:
    """Lag and error per joint, before and after fitting, and what goes beyond the stops."""
    real = np.concatenate(recording.states)
    actions = np.concatenate(recording.actions)
    before, after = replay_all(recording, IDEAL), replay_all(recording, Imperfections())
    lags = [30 * lag_s(states, actions, recording.fps) for states in (real, before, after)]
    print(f"\n{recording.name}: {len(recording.states)} episodes, {len(real)} frames, {recording.fps:g} fps")
    print(f"{'':15s}{'lag real':>9s}{'ideal':>7s}{'twin':>7s}{'|error| ideal':>15s}{'twin':>7s}"
          f"{'bias real':>11s}{'twin':>7s}   furthest command, real, twin")  # fmt: skip
    for joint, name in enumerate(JOINTS):
        gap = real[:, joint] - actions[:, joint]
        if abs(np.median(gap)) > UNFOLLOWED_DEG:
            print(f"{name:15s} does not follow its commands")
            continue
        errors = [np.median(np.abs(states - real), axis=0)[joint] for states in (before, after)]
        bias = np.median(after[:, joint] - actions[:, joint])
        furthest = [np.abs(series[:, joint]).max() for series in (actions, real, after)]
        print(f"{name:15s}{lags[0][joint]:9.1f}{lags[1][joint]:7.1f}{lags[2][joint]:7.1f}{errors[0]:15.2f}"
              f"{errors[1]:7.2f}{np.median(gap):11.2f}{bias:7.2f}{furthest[0]:19.1f}{furthest[1]:7.1f}"
              f"{furthest[2]:7.1f}")  # fmt: skip


def replay_all(recording: Recording, imperfections: Imperfections) -> NDArray[np.float64]:
    """States of all episodes on the twin, one after the other."""
    fps = round(recording.fps)
    pairs = zip(recording.states, recording.actions, strict=True)
    return np.concatenate([replay(states[0], actions, fps, imperfections) for states, actions in pairs])


def demonstrations(episodes: int) -> Recording:
    """The expert's, in the larger area."""
    twin = Twin(TwinConfig(area="6in"))
    states, actions = [], []
    for seed in range(episodes):
        twin.reset(seed)
        expert = Expert(twin, np.random.default_rng(seed))
        seen, done = [], []
        while not expert.done and twin.tick < twin.max_frames:
            seen.append(twin.joints())
            done.append(expert.act())
            twin.step(done[-1])
        states.append(np.array(seen))
        actions.append(np.array(done))
    return Recording("the twin's expert", twin.config.fps, tuple(states), tuple(actions))


def report_manner(recording: Recording) -> None:
    """How it moves: jumps, idleness, distance between command and state."""
    jumps = np.concatenate([np.abs(np.diff(a, axis=0)) for a in recording.actions])
    moves = np.concatenate([np.abs(np.diff(s, axis=0)) for s in recording.states])
    gap = np.concatenate([np.abs(a - s) for a, s in zip(recording.actions, recording.states, strict=True)])
    cells = " ".join(
        f"{p99:4.1f}({most:5.1f})"
        for p99, most in zip(np.percentile(jumps, 99, axis=0), jumps.max(0), strict=True)
    )
    idle = float((moves.max(axis=1) < IDLE_DEG).mean())
    print(f"{recording.name:26s} {cells}  {100 * idle:3.0f} %  {np.round(np.median(gap, axis=0), 1)}")


if __name__ == "__main__":
    main()
