"""How well the monitor tells episodes with a fault from sound ones.

./run python benchmarks/monitor_auroc.py --checkpoint RUN

Rolls a policy out on the twin: sound episodes to calibrate on, sound ones to test with, and episodes into which one
fault each is put, most of them in mid-episode. Prints, as Markdown, for each fault how many episodes it made fail, how
many are alarming, and the AUROC of each score (highest value so far, faulty against sound) beside two scores that know
nothing: the time elapsed, and chance.

All episodes are cut at the same time, since failing ones last longer and anything that grows with time would tell them
apart. Sound episodes are those that succeeded: others are counted and left out.

`--keep FILE` writes the scores tick by tick; `--from FILE` prints the tables from there.
"""

import argparse
from collections import deque
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from regrasp.control.monitor import SCORES, Monitor, calibrate
from regrasp.data.rollouts import Outcome, Rollouts, Ticks
from regrasp.stats import Rate

FPS = 30
LOOKED_AT = 150
"""Ticks after which pictures are drawn for the policy alone and nothing is scored."""

CUTS_S = (3.5, 5.0)
"""Times at which episodes are cut; about the shortest and the longest demonstration."""

FAULT_TICKS = (25, 60)
"""When a fault of mid-episode begins."""

SOUND = "none"


class FaultyArm:
    """The twin's robot with one fault, from tick `at` on."""

    def __init__(self, robot, kind: str, rng: np.random.Generator) -> None:
        self.robot, self.kind, self.rng = robot, kind, rng
        self.at = int(rng.integers(*FAULT_TICKS))
        self.tick, self.late, self.stuck, self.slipped = 0, deque(maxlen=4), None, False
        self.joint = str(rng.choice(["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex"]))

    def get_observation(self):
        """What the station shows."""
        if self.kind == "moved-object" and self.tick == self.at:
            self._move_toy()
        if self.kind == "slip":
            self._let_slip()
        if self.tick >= LOOKED_AT:
            from regrasp.lerobot_bridge.scoring import Glance

            seen = dict(Glance(self.robot)) if self.kind in PICTURE_FAULTS else Glance(self.robot)
        else:
            seen = self.robot.get_observation()
        return self._changed(seen)

    def send_action(self, action):
        """Carried out, but for the motor that is stuck."""
        if self.kind == "stuck-motor" and self.tick >= self.at:
            if self.stuck is None:
                self.stuck = float(
                    self.robot.twin.joints()[list(self.robot.action_features).index(f"{self.joint}.pos")]
                )
            action = {**action, f"{self.joint}.pos": self.stuck}
        self.tick += 1
        return self.robot.send_action(action)

    def _changed(self, seen):
        if self.kind == "swapped-cameras":
            return {**seen, "front": seen["wrist"], "wrist": seen["front"]}
        if self.kind == "late-pictures":
            self.late.append((seen["front"], seen["wrist"]))
            return {**seen, "front": self.late[0][0], "wrist": self.late[0][1]}
        if self.kind == "frozen-camera" and self.tick >= self.at:
            self.stuck = seen["wrist"] if self.stuck is None else self.stuck
            return {**seen, "wrist": self.stuck}
        if self.kind == "dim-light" and self.tick >= self.at:
            return {**seen, "front": seen["front"] // 3, "wrist": seen["wrist"] // 3}
        return seen

    def _move_toy(self) -> None:
        """Aside by 4 to 7 cm, on the table."""
        twin, way = self.robot.twin, self.rng.uniform(0, 2 * np.pi)
        shift = self.rng.uniform(0.04, 0.07) * np.array([np.cos(way), np.sin(way)])
        twin.data.qpos[twin.model.joint("toy").qposadr[0] :][:2] += shift

    def _let_slip(self) -> None:
        """Once: the toy that was lifted by 2 cm falls out of the jaws."""
        twin = self.robot.twin
        if not self.slipped and twin.scene().lifted_m > 0.02:
            self.slipped = True
            place = twin.model.joint("toy").qposadr[0]
            twin.data.qpos[place + 2] -= twin.scene().lifted_m
            twin.data.qvel[6:12] = 0.0


PICTURE_FAULTS = ("swapped-cameras", "late-pictures", "frozen-camera", "dim-light")
KINDS = ("moved-object", "slip", "stuck-motor", "scattered-start", *PICTURE_FAULTS)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--faulty", type=int, default=20, help="episodes with each fault")
    parser.add_argument("--calibration", type=int, default=60)
    parser.add_argument("--sound", type=int, default=60, help="sound episodes to test with")
    parser.add_argument("--alpha", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=41)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--from", dest="kept", type=Path)
    given = parser.parse_args()
    if given.kept:
        with np.load(given.kept) as stored:
            episodes = unpacked(stored)
    else:
        episodes = roll_out(given)
    report(episodes, given)


def roll_out(given) -> list[dict]:
    """One dictionary for each episode: its fault, whether it succeeded, and its scores by name."""
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.control import run_episode
    from regrasp.control.clock import FastClock
    from regrasp.data.checkpoint import read_checkpoint
    from regrasp.data.station import twin
    from regrasp.lerobot_bridge.driving import Run
    from regrasp.lerobot_bridge.recording import scene_seed
    from regrasp.lerobot_bridge.stations import connected

    found = read_checkpoint(given.checkpoint)
    task = next(iter(found.contract.instructions))
    size = found.contract.cameras[0].height
    episodes: list[dict] = []
    plan = [SOUND] * (given.calibration + given.sound) + [
        kind for _ in range(given.faulty) for kind in KINDS if kind != "scattered-start"
    ]
    with connected(twin(size=size)) as home:
        policy = Run(twin(size=size), found.path, task, 0, None, None).policy()
        for kinds, robot in ((plan, home), (["scattered-start"] * given.faulty, None)):
            with (
                connected(twin(size=size, starts="scattered")) if robot is None else nullcontext(robot) as arm
            ):
                for kind in kinds:
                    number = len(episodes)
                    arm.reset(scene_seed("rollout", given.seed, number))
                    faulty = FaultyArm(arm, kind, np.random.default_rng([given.seed, number]))
                    run = Run(twin(size=size), found.path, task, 0, None, None)
                    joints = [name.removesuffix(".pos") for name in arm.action_features]
                    monitor, rows = Monitor(FPS, found.contract), []
                    scored = _Scored(monitor, rows)
                    run_episode(
                        faulty, policy, run.gate(joints), joints=joints, clock=FastClock(), fps=FPS,
                        max_ticks=arm.twin.max_frames, finished=lambda arm=arm: bool(arm.twin.success), monitor=scored,
                    )  # fmt: skip
                    scores = {name: np.array([row[name] for row in rows]) for name in SCORES}
                    episodes.append({"kind": kind, "success": bool(arm.twin.success), "scores": scores})
                    if given.keep and number % 10 == 9:
                        keep(episodes, given.keep)
    if given.keep:
        keep(episodes, given.keep)
    return episodes


class _Scored:
    """A monitor that is asked as long as pictures are drawn, and whose scores are kept."""

    def __init__(self, monitor: Monitor, rows: list) -> None:
        self.monitor, self.rows = monitor, rows

    def reset(self) -> None:
        self.monitor.reset()

    def watch(self, tick, state):
        if tick.index < LOOKED_AT:
            self.rows.append(self.monitor.watch(tick, state))
        return {}


def keep(episodes: list[dict], path: Path) -> None:
    """All scores in one file of plain arrays."""
    arrays = {
        "kinds": np.array([one["kind"] for one in episodes]),
        "success": np.array([one["success"] for one in episodes]),
    }
    for number, one in enumerate(episodes):
        arrays[f"scores_{number}"] = np.array([one["scores"][name] for name in SCORES])
    np.savez_compressed(path, **arrays)


def unpacked(stored) -> list[dict]:
    """What `keep` wrote."""
    return [
        {
            "kind": str(kind),
            "success": bool(won),
            "scores": dict(zip(SCORES, stored[f"scores_{i}"], strict=True)),
        }
        for i, (kind, won) in enumerate(zip(stored["kinds"], stored["success"], strict=True))
    ]


def report(episodes: list[dict], given) -> None:
    """The tables."""
    sound = [one for one in episodes if one["kind"] == SOUND]
    calibration, tested = sound[: given.calibration], sound[given.calibration :]
    calibration, test = ([one for one in part if one["success"]] for part in (calibration, tested))
    rate = Rate.of([one["success"] for one in sound])
    print(f"Sound episodes: {rate}; calibrated on {len(calibration)}, tested on {len(test)}.")
    if not test or not calibration:
        return
    print(
        f"Ticks of the successful ones: {np.percentile([length(one) for one in test], [5, 50, 95]).astype(int)}.\n"
    )
    found = calibrate(as_rollouts(calibration), alpha=given.alpha)
    for cut_s in CUTS_S:
        table(cut_s, episodes, calibration, test, found, given)


def table(cut_s, episodes, calibration, test, found, given) -> None:
    """AUROC of each score and of the pooled alarm, cut at one time."""
    cut = round(cut_s * FPS)
    names = [*SCORES, "pooled", "elapsed", "chance"]
    rng = np.random.default_rng(0)
    usual = np.array([peaks(one, cut) for one in calibration])

    def measured(one):
        pooled = strangeness(peaks(one, cut), usual)
        return [*peaks(one, cut), pooled, min(length(one), cut), rng.random()]

    def alarming(one):
        return any(
            found.tripped(dict(zip(SCORES, row, strict=True)))
            for row in np.transpose(list(one["scores"].values()))[:cut]
        )

    good = np.array([measured(one) for one in test])
    alarms = Rate.of([alarming(one) for one in test])
    print(
        f"Cut at {cut_s} s. Alarming although sound: {alarms} (alpha {given.alpha} over all scores together).\n"
    )
    print("| fault | fails | alarming | " + " | ".join(names) + " |")
    print("| --- " * (3 + len(names)) + "|")
    for kind in KINDS:
        bad = [one for one in episodes if one["kind"] == kind]
        if not bad:
            continue
        values = np.array([measured(one) for one in bad])
        areas = [f"{auroc(values[:, i], good[:, i]):.2f}" for i in range(len(names))]
        fails, told = Rate.of([not one["success"] for one in bad]), Rate.of([alarming(one) for one in bad])
        print(f"| {kind} | {fails.k}/{fails.n} | {told.k}/{told.n} | " + " | ".join(areas) + " |")
    everything = np.array([measured(one) for one in episodes if one["kind"] != SOUND])
    failed = np.array([measured(one) for one in episodes if one["kind"] != SOUND and not one["success"]])
    for name, values in (("all faults", everything), ("all that failed", failed)):
        areas = [f"{auroc(values[:, i], good[:, i]):.2f}" for i in range(len(names))]
        print(f"| {name} ({len(values)}) | | | " + " | ".join(areas) + " |")
    print()


def length(one) -> int:
    """Ticks that were scored."""
    return len(one["scores"][SCORES[0]])


def peaks(one, cut: int) -> list[float]:
    """Highest value of each score up to the cut; -inf where there is none."""
    return [
        float(np.max(values[:cut], initial=-np.inf, where=np.isfinite(values[:cut])))
        for values in one["scores"].values()
    ]


def strangeness(values, usual) -> float:
    """How unusual the most unusual score is: minus the smallest share of calibration episodes that reach it."""
    beyond = [(1 + np.sum(usual[:, i] >= value)) / (1 + len(usual)) for i, value in enumerate(values)]
    excess = [value / (usual[:, i].max() + 1e-9) for i, value in enumerate(values) if np.isfinite(value)]
    return -min(beyond) + 1e-3 * min(max(excess), 100.0)


def auroc(bad, good) -> float:
    """Probability that a faulty episode scores higher than a sound one, ties counted half."""
    return float(np.mean((bad[:, None] > good[None]) + 0.5 * (bad[:, None] == good[None])))


def as_rollouts(episodes: list[dict]) -> Rollouts:
    """Episodes as `calibrate` reads them."""
    count = [length(one) for one in episodes]
    episode = np.repeat(np.arange(len(episodes)), count)
    blank = np.zeros(len(episode))
    scores = {name: np.concatenate([one["scores"][name] for one in episodes]) for name in SCORES}
    table6 = np.zeros((len(episode), 6))
    ticks = Ticks(episode, episode, blank, blank, episode, episode, table6, table6, blank > 0, scores=scores)
    return Rollouts(None, tuple(Outcome(i, True) for i in range(len(episodes))), ticks)


if __name__ == "__main__":
    main()
