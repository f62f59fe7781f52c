"""A scripted demonstrator: commands a leader arm as a person would who sees where the toy lies.

The hand moves in overlapping submovements of minimum jerk (Flash and Hogan 1985; Flash and Henis 1991):
a first, quick one that ends a little beside its aim, then slower ones that put it right. It closes until it
feels the toy, squeezes, and lifts. Speed, aim, opening and tremor differ from one demonstration to the next.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import GRIPPER, JOINTS, within_limits
from regrasp.arm.units import to_degrees, to_radians
from regrasp.sim.environment import Twin
from regrasp.sim.imperfections import read_encoder
from regrasp.sim.kinematics import Kinematics
from regrasp.sim.scene import BIN_CENTRE

REACH_DEG_FRAME = 5.0
"""Fastest joint during the reach, at speed 1. Demonstrations of people step 3 to 13 degrees at most."""

REACH_FRAMES = 34
DESCENT_FRAMES = 34
LIFT_FRAMES = 32
LOWER_FRAMES = 20
RELEASE_FRAMES = 12
RETREAT_FRAMES = 16
"""Shortest durations of the movements, at speed 1 and 30 frames a second."""

OVERLAP = 0.3
"""Share of the reach that is still to go when the descent sets in."""

CLOSE_EARLY = 0.2
"""Share of the descent that is still to go when the jaws begin to close.

The hand has all but arrived by then. Waiting until it stands still would leave frames that look alike and
differ in what to do next, and a policy that learned from them hesitates there.
"""

HOVER_M = 0.075
"""Height above the grasp at which reaching turns into going down."""

GRASP_HEIGHT_M = 0.019
"""Height of the point between the jaws at the grasp; the tips are 14 mm lower."""

BESIDE_M = 0.0145
"""From the point between the jaws to the toy's centre, along the closing direction.

The fixed jaw's pad lies 8 mm to one side and half the toy is 16 mm, so the pad comes down 6 mm beside it.
"""

OVER_BIN_M = 0.13
IN_BIN_M = 0.08
"""Heights of the hand above the table when it arrives at the bin and when it lets go."""

LET_GO = 55.0
"""Gripper that releases the toy, 0-100."""

KNOT_FRAMES = 3
"""Inverse kinematics is solved every so many frames of a path, and interpolated between."""

TREMOR_DEG = 0.35
"""Standard deviation of the tremor, anew in every frame: a hand trembles at about 10 Hz, a third of the rate.

Nothing of it carries over, so the command after a deviation leads back to the path, and a policy learns that.
"""

READY = np.array([0.0, -20.0, 40.0, 75.0, -90.0, 50.0])
"""From this pose inverse kinematics looks for the hover: elbow up, hand down, camera outside; degrees."""

PATIENCE_FRAMES = 40
"""After its last movement the expert waits at most so long for success."""


@dataclass(frozen=True)
class Style:
    """How one demonstration is performed."""

    pace: float
    """Durations as a multiple of the shortest."""
    aim_error_m: NDArray[np.float64]
    """Where the reach ends, beside its aim; x, y, z."""
    opening: float
    """Gripper before the grasp, 0-100."""
    closing_per_frame: float
    squeeze: float
    """How far the command goes below the place where the toy stopped the jaws; gripper 0-100."""
    reaction_frames: int
    """From feeling the toy to squeezing no further."""
    lift_m: float
    hold_frames: int


def draw_style(rng: np.random.Generator) -> Style:
    """A style at random."""
    return Style(
        pace=float(rng.uniform(1.0, 1.3)),
        aim_error_m=rng.normal(0.0, [0.006, 0.006, 0.005]).clip(-0.012, 0.012),
        opening=float(rng.uniform(54.0, 60.0)),
        closing_per_frame=float(rng.uniform(3.0, 4.5)),
        squeeze=float(rng.uniform(12.0, 18.0)),
        reaction_frames=int(rng.integers(2, 5)),
        lift_m=float(rng.uniform(0.085, 0.105)),
        hold_frames=int(rng.integers(12, 20)),
    )


class Expert:
    """Demonstrates the twin's task, from any start. Call `reset` after each reset of the twin."""

    def __init__(self, twin: Twin, rng: np.random.Generator, *, tremor_deg: float = TREMOR_DEG):
        self.twin = twin
        self.rng = rng
        self.tremor_deg = tremor_deg
        self._kinematics = Kinematics()
        self._stiffness = np.asarray(twin.config.imperfections.stiffness_nm_rad)
        self.reset()

    def reset(self) -> None:
        """Look where the toy lies, and begin anew."""
        self.done = False
        self.style = draw_style(self.rng)
        self._angles = to_radians(self.twin.joints())
        self._grip = float(self.twin.joints()[GRIPPER])
        self._movements = self._demonstrate()
        self._next = next(self._movements)

    def act(self) -> NDArray[np.float64]:
        """The leader's next command, shape [6]; degrees, gripper 0-100.

        `done` turns true with the last command, which is then repeated.
        """
        command = self._next
        if not self.done:
            self._next = next(self._movements, command)
        tremor = self.rng.standard_normal(len(JOINTS)) * self.tremor_deg
        step = self.twin.config.imperfections.encoder_step
        return read_encoder(within_limits(command + tremor), step)

    # -- the demonstration, told from top to bottom; each yields commands

    def _demonstrate(self) -> Iterator[NDArray[np.float64]]:
        grasp = self._grasp_point()
        arrival = yield from self._approach(grasp)
        yield from self._close(arrival)
        yield from self._lift(grasp)
        if self.twin.config.task == "brain-to-bin":
            yield from self._bring_to_bin()
        yield from self._wait()
        self.done = True

    def _approach(
        self, grasp: NDArray[np.float64]
    ) -> Generator[NDArray[np.float64], None, NDArray[np.float64]]:
        """Reach to above the toy, opening the jaws, and go down beside it; returns the end of the path."""
        hover = grasp + np.array([0.0, 0.0, HOVER_M]) + self.style.aim_error_m
        start = self._angles
        self._kinematics.start_from(to_radians(READY))
        away = self._kinematics.reach(hover, self._across)
        reach, descent = self._reach_frames(start, away), self._frames(DESCENT_FRAMES)
        overlap = round(OVERLAP * reach)
        time = np.arange(1, reach + descent - overlap + 1)
        down = (time - (reach - overlap)) / descent
        points = hover + (grasp - hover) * np.column_stack([min_jerk(down / 0.6)] * 2 + [min_jerk(down)])
        path = self._solve(points)
        path[:, :GRIPPER] += np.outer(1 - min_jerk(time / reach), self._loaded(start) - path[0])[:, :GRIPPER]
        grips = self._grip + (self.style.opening - self._grip) * min_jerk(time / (0.8 * reach))
        early = len(path) - round(CLOSE_EARLY * descent)
        yield from self._follow(path[:early], grips)
        return path[early:]

    def _close(self, path: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
        """Close, arriving at the end of `path`, until the toy is felt, and a little further."""
        felt, floor = 0, 0.0
        poses = iter(path)
        while felt < self.style.reaction_frames and self._grip > 0.0:
            if self.twin.scene().jaws_touching == 2:
                felt += 1
                floor = max(float(self.twin.joints()[GRIPPER]) - self.style.squeeze, 0.0)
            self._grip = max(self._grip - self.style.closing_per_frame, floor)
            self._body = next(poses, self._body)
            yield self._command()

    def _lift(self, grasp: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
        """Raise the toy, straight up."""
        rise = min_jerk(np.arange(1, self._frames(LIFT_FRAMES) + 1) / self._frames(LIFT_FRAMES))
        points = grasp + np.outer(rise, [0.0, 0.0, self.style.lift_m])
        yield from self._follow(self._solve(points))
        for _ in range(self.style.hold_frames if self.twin.config.task == "grab-brain" else 0):
            yield self._command()

    def _bring_to_bin(self) -> Iterator[NDArray[np.float64]]:
        """Carry the toy over the bin, lower it, let go, and draw back."""
        over = np.array([*BIN_CENTRE, OVER_BIN_M])
        inside = np.array([*BIN_CENTRE, IN_BIN_M])
        self._across = float(np.arctan2(BIN_CENTRE[1], BIN_CENTRE[0])) - np.pi / 2
        start = self._angles
        self._kinematics.start_from(start)
        there = self._kinematics.reach(over, self._across)
        frames = self._reach_frames(start, there)
        share = min_jerk(np.arange(1, frames + 1) / frames)
        loaded = self._loaded(start)
        yield from self._follow(loaded + np.outer(share, self._loaded(there) - loaded))
        yield from self._straight(over, inside, self._frames(LOWER_FRAMES))
        held = self._grip
        for share in min_jerk(np.arange(1, RELEASE_FRAMES + 1) / RELEASE_FRAMES):
            self._grip = held + (LET_GO - held) * float(share)
            yield self._command()
        yield from self._straight(inside, over, self._frames(RETREAT_FRAMES))

    def _wait(self) -> Iterator[NDArray[np.float64]]:
        """Stay, until the task is fulfilled or patience ends."""
        for _ in range(PATIENCE_FRAMES):
            if self.twin.success:
                return
            yield self._command()

    # -- movements

    def _straight(
        self, start: NDArray[np.float64], end: NDArray[np.float64], frames: int
    ) -> Iterator[NDArray[np.float64]]:
        share = min_jerk(np.arange(1, frames + 1) / frames)
        yield from self._follow(self._solve(start + np.outer(share, end - start)))

    def _follow(
        self, path: NDArray[np.float64], grips: NDArray[np.float64] | None = None
    ) -> Iterator[NDArray[np.float64]]:
        """Command the poses of `path`, shape [n, 6], in degrees, one a frame."""
        for index, pose in enumerate(path):
            self._body = pose
            if grips is not None:
                self._grip = float(grips[index])
            yield self._command()

    def _command(self) -> NDArray[np.float64]:
        return np.append(self._body[:GRIPPER], self._grip)

    def _solve(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Commands, shape [n, 6], that lead the hand through `points`, shape [n, 3]."""
        count = len(points)
        knots = np.unique(np.append(np.arange(0, count, KNOT_FRAMES), count - 1))
        poses = [self._kinematics.reach(points[knot], self._across) for knot in knots]
        self._angles = poses[-1]
        loaded = np.array([self._loaded(pose) for pose in poses])
        path = np.empty((count, len(JOINTS)))
        for joint, column in enumerate(loaded.T):
            path[:, joint] = np.interp(np.arange(count), knots, column)
        return path

    def _loaded(self, angles: NDArray[np.float64]) -> NDArray[np.float64]:
        """The command, in degrees, under whose load the arm comes to rest at `angles`.

        A person sees the arm sag, and leads the leader arm that much further.
        """
        return to_degrees(angles + self._kinematics.gravity_nm(angles) / self._stiffness)

    def _grasp_point(self) -> NDArray[np.float64]:
        """Where the point between the jaws must be; sets the direction in which they close."""
        toy = self.twin.scene().toy
        self._across = self.twin.toy_yaw() - np.pi / 2
        return np.array(
            [
                toy[0] - BESIDE_M * np.cos(self._across),
                toy[1] - BESIDE_M * np.sin(self._across),
                GRASP_HEIGHT_M,
            ]
        )

    def _frames(self, shortest: int) -> int:
        return round(shortest * self.style.pace * self.twin.config.fps / 30)

    def _reach_frames(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> int:
        """Frames of a movement in joint space, so that no joint is faster than `REACH_DEG_FRAME`."""
        furthest = float(np.abs(np.degrees(end - start))[:GRIPPER].max())
        return max(self._frames(REACH_FRAMES), self._frames(round(PEAK * furthest / REACH_DEG_FRAME)))


PEAK = 1.875
"""Highest speed of a movement of minimum jerk, as a multiple of its mean."""


def min_jerk(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Position along a movement of minimum jerk at a share of its time; 0 before it and 1 after.

    Example:
        >>> min_jerk(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])).tolist()
        [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    s = np.clip(share, 0.0, 1.0)
    return s**3 * (10.0 - 15.0 * s + 6.0 * s**2)
