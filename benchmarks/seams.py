"""Seams with and without the hand-over: `./run python benchmarks/seams.py --checkpoint RUN --starts 100`.

Runs a policy on the twin, chunk and executed actions as asked (10 and 10), on the same starts with and without the
hand-over, and with an optional delay between a query and its first action. Prints, as Markdown, the jump at seams
(largest joint, degrees) against the demonstrations' one-step envelope, the seam ratio, and k/n with the difference over
paired starts.

`--scripted DATASET` needs no checkpoint: the recorded commands of demonstrations are cut into chunks, each beside the
track by a random offset, which shows the seams alone (nothing is grasped).
"""

import argparse
from pathlib import Path

import numpy as np

from regrasp.control import Decision, SafetyGate, run_episode
from regrasp.control.clock import FastClock
from regrasp.control.seams import Ahead, HandOver, seam_jumps
from regrasp.data.checkpoint import Checkpoint, read_checkpoint
from regrasp.data.contract_measuring import measure_contract
from regrasp.data.dataset import read_dataset


class Cut:
    """A policy whose chunks are cut to `chunk` actions."""

    def __init__(self, policy, chunk: int) -> None:
        self.policy, self.chunk = policy, chunk

    def reset(self) -> None:
        """As the policy."""
        self.policy.reset()

    def decide(self, observation) -> Decision:
        """As the policy, its plan no longer than its chunk."""
        one = self.policy.decide(observation)
        return Decision(
            one.action, one.inference_ms, one.chunk, one.position, one.plan[: self.chunk - one.position]
        )


class Scripted:
    """Recorded commands in chunks, each beside the track by an offset of its own."""

    def __init__(self, actions: np.ndarray, chunk: int, execute: int, spread: np.ndarray, seed: int) -> None:
        self.actions, self.chunk, self.execute, self.spread, self.seed = actions, chunk, execute, spread, seed
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.tick, self.rng = 0, np.random.default_rng(self.seed)

    def decide(self, observation) -> Decision:
        """The next command, with the rest of its chunk."""
        place = self.tick % self.execute
        if place == 0:
            self.offset = self.rng.normal(size=len(self.spread)) * self.spread
        rows = np.minimum(np.arange(self.tick, self.tick + self.chunk - place), len(self.actions) - 1)
        plan = self.actions[rows] + self.offset
        self.tick += 1
        return Decision(plan[0], 1.0, (self.tick - 1) // self.execute, place, plan)


def row(name: str, at_seams: np.ndarray, elsewhere: np.ndarray, envelope: float, success: str = "") -> str:
    """One line of the table."""
    p95, ratio = np.percentile(at_seams, 95), np.median(at_seams) / np.median(elsewhere)
    within = "within" if p95 <= envelope else "above"
    usual = np.percentile(elsewhere, 95)
    return f"| {name} | {p95:.1f} | {within} {envelope:.1f} | {ratio:.2f} | {usual:.1f} | {success} |"


HEADER = (
    "| seams | p95 jump at seams, deg | demonstrations' 99 % step | seam ratio | p95 step elsewhere | success |\n"
    "| --- | --- | --- | --- | --- | --- |"
)


def scripted(given: argparse.Namespace) -> None:
    data = read_dataset(given.scripted, video=False)
    contract = measure_contract(data, Checkpoint(Path("none"), "act", {}))
    step = np.array([joint.jump_p99 for joint in contract.joints])
    envelope = one_step_envelope(data)
    spread = np.full(len(step), given.offset_deg)
    print(HEADER)
    for name in ("without", "with"):
        seams, others = [], []
        for episode in data.episodes:
            policy = Scripted(episode.actions, given.chunk, given.execute, spread, episode.index)
            driven = HandOver(policy, data.fps, step) if name == "with" else policy
            driven.reset()
            made = [driven.decide({}) for _ in range(episode.length)]
            at, elsewhere = seam_jumps(np.array([d.chunk for d in made]), np.array([d.action for d in made]))
            seams.append(at)
            others.append(elsewhere)
        print(row(f"{name} hand-over", np.concatenate(seams), np.concatenate(others), envelope))


def one_step_envelope(data) -> float:
    """99th percentile of the largest joint's step between commands in a row."""
    steps = [np.abs(np.diff(episode.actions, axis=0)).max(axis=1) for episode in data.episodes]
    return float(np.percentile(np.concatenate(steps), 99))


def on_the_twin(given: argparse.Namespace) -> None:
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from lerobot.utils.import_utils import register_third_party_plugins

    from regrasp.data.station import twin
    from regrasp.lerobot_bridge.policies import LoadedPolicy
    from regrasp.lerobot_bridge.recording import scene_seed
    from regrasp.lerobot_bridge.scoring import GlancingArm
    from regrasp.lerobot_bridge.stations import connected
    from regrasp.stats import Rate

    register_third_party_plugins()
    found = read_checkpoint(given.checkpoint)
    contract = found.contract
    step = np.array([joint.jump_p99 for joint in contract.joints])
    data = read_dataset(given.dataset, video=False)
    envelope = one_step_envelope(data)
    execute = 1 if given.delay else given.execute
    loaded = LoadedPolicy(found.path, task=next(iter(contract.instructions)), n_action_steps=execute)
    results: dict[str, list[bool]] = {}
    print(HEADER)
    with connected(twin(area=given.area, size=given.size)) as robot:
        joints = [name.removesuffix(".pos") for name in robot.action_features]
        for name in ("without", "with"):
            policy = Cut(loaded, given.chunk + given.delay)
            if given.delay:
                policy = Ahead(policy, execute=given.execute, delay=given.delay, background=False)
            if name == "with":
                policy = HandOver(policy, robot.config.fps, step)
            seams, others, results[name] = [], [], []
            for start in range(given.starts):
                robot.reset(scene_seed("rollout", given.seed, start))
                ticks, gate = [], SafetyGate.for_contract(contract, joints, robot.config.fps)
                run_episode(
                    GlancingArm(robot), policy, gate, joints=joints,
                    clock=FastClock(), fps=robot.config.fps, max_ticks=robot.twin.max_frames,
                    finished=lambda: bool(robot.twin.success),
                    observers=[lambda t, ticks=ticks: ticks.append((t.decision.chunk, t.decision.action))],
                )  # fmt: skip
                at, elsewhere = seam_jumps(np.array([c for c, _ in ticks]), np.array([a for _, a in ticks]))
                seams.append(at)
                others.append(elsewhere)
                results[name].append(bool(robot.twin.success))
            rate = Rate.of(results[name])
            print(
                row(f"{name} hand-over", np.concatenate(seams), np.concatenate(others), envelope, str(rate)),
                flush=True,
            )
    pairs = list(zip(results["without"], results["with"], strict=True))
    print(
        f"Paired starts: {pairs.count((False, True))} succeed only with the hand-over, "
        f"{pairs.count((True, False))} only without, {pairs.count((True, True))} both, "
        f"{pairs.count((False, False))} neither."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--dataset", type=Path, help="demonstrations of the checkpoint, for their envelope")
    parser.add_argument("--scripted", type=Path)
    parser.add_argument(
        "--offset-deg", type=float, default=6.0, help="standard deviation of scripted offsets"
    )
    parser.add_argument("--chunk", type=int, default=10)
    parser.add_argument("--execute", type=int, default=10)
    parser.add_argument("--delay", type=int, default=0, help="ticks between a query and its first action")
    parser.add_argument("--area", default="2in", choices=["2in", "6in"])
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    if given.scripted:
        scripted(given)
    else:
        on_the_twin(given)


if __name__ == "__main__":
    main()
