"""How the arm comes home: `./run python benchmarks/homing.py --poses 500`.

Puts the twin's arm into random poses (anywhere within its limits, touching nothing), drives it to poses drawn from the
training's distribution of starts, and counts arrivals inside the training's start region, touches of the table and of
itself (looked for after every frame of 1/30 s), and the time. Prints Markdown.
"""

import argparse
import time
from collections import Counter

import numpy as np

from regrasp.arm.so101 import HOME, HOME_SPREAD, JOINTS, LIMITS, within_limits
from regrasp.control.clearance import clearance
from regrasp.control.clock import FastClock
from regrasp.control.homing import home
from regrasp.errors import DeviceError
from regrasp.sim.environment import Twin, TwinConfig
from regrasp.sim.scene import PLINTH_M

START_SLACK = 2.0
"""A start counts as sound this far beyond the training's (`start-pose-shift`); degrees, gripper 0-100."""


HOLD_TICKS = 6
"""An arm whose motors were told to hold a pose sinks by its droop; a pose in which it then touches is no start."""


class TwinArm:
    """The twin as the loop drives it, without pictures; notes what the arm touches."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self.touched: Counter[str] = Counter()

    def get_observation(self):
        """Joint values only."""
        return dict(zip((f"{joint}.pos" for joint in JOINTS), self.twin.joints().tolist(), strict=True))

    def send_action(self, action):
        """Let one frame pass."""
        self.twin.step(np.array([action[f"{joint}.pos"] for joint in JOINTS]))
        self.touched.update(self.twin.touching())
        return action


def free_pose(twin: Twin, rng: np.random.Generator) -> np.ndarray:
    """Any pose in which the arm, holding itself, touches nothing, and whose hand is not inside the base.

    The simulation's base has no collision shape, so that the second has to be asked of the arm's own model.
    """
    while True:
        pose = rng.uniform(LIMITS[:, 0], LIMITS[:, 1])
        if clearance(pose, -PLINTH_M)[0] < 0:
            continue
        twin.stand_at(pose)
        touched = set(twin.touching())
        for _ in range(HOLD_TICKS):
            twin.step(pose)
            touched |= twin.touching()
        if not touched:
            return pose


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--poses", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    twin = Twin(TwinConfig())
    arrived, seconds, touched, touches, planning = 0, [], Counter(), 0, []
    for number in range(given.poses):
        twin.reset(number)
        pose = free_pose(twin, rng)
        arm = TwinArm(twin)
        target = within_limits(HOME + HOME_SPREAD * rng.standard_normal(6).clip(-2, 2))
        began = time.perf_counter()
        try:
            done = home(
                arm, target, joints=JOINTS, limits=LIMITS, clock=FastClock(), fps=30, rng=rng, table_m=-PLINTH_M
            )  # fmt: skip
        except DeviceError as error:
            print(f"pose {number} {pose.round().tolist()}: {error}")
            continue
        finally:
            planning.append(time.perf_counter() - began)
            touched.update(arm.touched.keys())
            touches += bool(arm.touched.keys() & {"table", "itself"})
        seconds.append(done.seconds)
        span = np.column_stack([HOME - 2 * HOME_SPREAD, HOME + 2 * HOME_SPREAD])
        inside = (done.pose >= span[:, 0] - START_SLACK) & (done.pose <= span[:, 1] + START_SLACK)
        arrived += bool(inside.all())
    print(f"| poses | {given.poses} |")
    print(f"| inside the start region | {arrived}/{given.poses} |")
    print(f"| touched the table or itself | {touches}/{given.poses} ({dict(touched)} of all touches) |")
    print(f"| time to home, median and longest | {np.median(seconds):.2f} s, {np.max(seconds):.2f} s |")
    print(f"| later than 4 s | {int((np.array(seconds) >= 4.0).sum())}/{given.poses} |")
    print(f"| real time per homing on this machine, median | {np.median(planning):.2f} s |")


if __name__ == "__main__":
    main()
