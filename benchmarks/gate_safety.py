"""What gets through the safety gate: `./run python benchmarks/gate_safety.py --dataset DEMONSTRATIONS`.

Sends 10,000 adversarial action sequences through the gate of the demonstrations' own contract and counts broken
promises (a value outside the limits, a jump beyond the bound, too much travel in a fifth of a second), and replays
the demonstrations, of which no tick may be changed. Prints Markdown.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from regrasp.control import SafetyGate
from regrasp.data.checkpoint import Checkpoint
from regrasp.data.contract_measuring import measure_contract
from regrasp.data.dataset import Dataset, read_dataset

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "control"))
from adversaries import damage


def gate_of(data: Dataset) -> SafetyGate:
    contract = measure_contract(data, Checkpoint(Path("none"), "act", {}))
    return SafetyGate.for_contract(contract, data.joint_names, data.fps)


def replay(data: Dataset, gate: SafetyGate) -> int:
    """Ticks of the demonstrations that the gate changes."""
    before = gate.interventions
    for episode in data.episodes:
        gate.reset()
        for state, action in zip(episode.states, episode.actions, strict=True):
            gate.check(action, state)
    return gate.interventions - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--dataset", type=Path, nargs="+", required=True, help="demonstrations; several may be given"
    )
    parser.add_argument("--sequences", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for folder in given.dataset:
        data = read_dataset(folder, video=False)
        gate = gate_of(data)
        changed = replay(data, gate)
        print(
            f"| replay of {data.name} | {changed}/{data.frames} ticks changed ({changed / data.frames:.2%}) |"
        )
    gate = gate_of(read_dataset(given.dataset[0], video=False))
    rng = np.random.default_rng(given.seed)
    began = time.perf_counter()
    results = np.array([damage(gate, rng) for _ in range(given.sequences)])
    seconds = time.perf_counter() - began
    ticks = given.sequences * 30
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(gate.counts.items()))
    print(f"| adversarial sequences | {given.sequences} ({ticks} commands, {seconds:.0f} s) |")
    print(f"| harmful commands sent | {results[:, 0].sum()} |")
    print(f"| commands changed | {results[:, 1].sum()} ({kinds}) |")


if __name__ == "__main__":
    main()
