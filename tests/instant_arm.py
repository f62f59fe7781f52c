"""An arm that stands at once where it is told to, a policy that creeps, and a rollout of both: seconds, no simulation."""

import json
from contextlib import contextmanager
from unittest import mock

import numpy as np
from deployments import checkpoint, contract

from regrasp.arm.so101 import HOME, JOINTS
from regrasp.control import Decision
from regrasp.control.seams import Horizon
from regrasp.data.contract import write_contract
from regrasp.data.station import Station

CAMERAS = {name: {"type": "opencv", "index_or_path": name} for name in ("front", "wrist")}
DESK = Station(name="desk", robot={"type": "so101_follower", "port": "none", "cameras": CAMERAS}, fps=30)


class InstantArm:
    """Its pictures show its pose."""

    name = "so101_follower"

    def __init__(self):
        self.action_features = {f"{joint}.pos": float for joint in JOINTS}
        self.observation_features = self.action_features | dict.fromkeys(CAMERAS, (32, 32, 3))
        self.pose = dict(zip(self.action_features, (HOME + 5.0).tolist(), strict=True))

    def get_observation(self):
        grey = int(abs(sum(self.pose.values()))) % 200
        return self.pose | {name: np.full((32, 32, 3), grey + i, np.uint8) for i, name in enumerate(CAMERAS)}

    def send_action(self, action):
        self.pose = dict(action)
        return action


class Creeping:
    """Wants a tenth of a degree more in each tick."""

    def reset(self):
        self.tick = -1

    def decide(self, observation):
        self.tick += 1
        pose = np.array([observation[f"{joint}.pos"] for joint in JOINTS])
        return Decision(pose + 0.1, 1.0, self.tick // 4, self.tick % 4, np.tile(pose + 0.1, (2, 1)))


def model_folder(folder):
    """A checkpoint that nobody loads, with the contract of an arm that starts at home."""
    (folder / "config.json").write_text(json.dumps({"type": "keypoint", **checkpoint().config}))
    write_contract(folder, contract())
    return folder


def roll_out(model, out, *, arm=InstantArm, ticks=6, **options):
    """Two short episodes of the creeping policy on this arm (made by `arm`), home before each."""
    from regrasp.lerobot_bridge.driving import Run
    from regrasp.lerobot_bridge.rollout import rollout

    @contextmanager
    def lent(_station):
        yield arm()

    with (
        mock.patch("regrasp.lerobot_bridge.driving.connected", lent),
        mock.patch.object(Run, "policy_for", return_value=(Creeping(), Horizon(4, 4, 0))),
    ):
        station = options.pop("station", DESK)
        return rollout(
            model, station, task="Grab the brain", episodes=2, seconds=ticks / 30, out=out, seed=5, **options
        )
