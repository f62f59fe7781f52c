"""How often the small policy succeeds, and what breaks it: `./run python benchmarks/policy_success.py --area 2in`.

Records demonstrations, trains the policy, the same without cameras and with each camera alone, and scores all of
them on the same fresh starts: as trained, with another instruction, with the cameras swapped, from scattered starts.
Prints a Markdown table of k/n with Wilson intervals. Nothing is kept but what lies in `--out`.

`--policies ACT --epochs 4 --as-trained-only` trains LeRobot's own ACT on the same small pictures, its backbone from
scratch and its transformer made small enough for two cores.
"""

import argparse
import time
from pathlib import Path

from regrasp.lerobot_bridge.quiet import prepare_environment

prepare_environment()

from regrasp.data.station import twin  # noqa: E402 - torch reads the environment as it is imported
from regrasp.lerobot_bridge.recording import record  # noqa: E402
from regrasp.lerobot_bridge.scoring import score  # noqa: E402
from regrasp.lerobot_bridge.training import train  # noqa: E402
from regrasp.stats import Rate  # noqa: E402

INSTRUCTION = "Grab the brain"
SWAP = {"front": "wrist", "wrist": "front"}
ACT = (
    "--policy.type=act",
    "--batch_size=16",
    "--policy.pretrained_backbone_weights=null",
    "--policy.dim_model=128",
    "--policy.n_heads=4",
    "--policy.dim_feedforward=512",
    "--policy.n_encoder_layers=2",
    "--policy.use_vae=false",
    "--policy.chunk_size=40",
    "--policy.n_action_steps=20",
    "--policy.optimizer_lr=1e-4",
    "--policy.optimizer_lr_backbone=1e-4",
)
POLICIES = {
    "both cameras": (),
    "blind": ("--policy.cameras=[]",),
    "front alone": ("--policy.cameras=[front]",),
    "wrist alone": ("--policy.cameras=[wrist]",),
    "ACT": ACT,
}


def trained(dataset: Path, folder: Path, epochs: float, options: tuple[str, ...]) -> tuple[Path, float]:
    """The policy in `folder`, trained unless it is there; and the seconds that took."""
    began = time.perf_counter()
    if not folder.exists():
        train(dataset, folder, epochs=epochs, options=options)
    return folder, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--area", default="2in", choices=["2in", "6in"])
    parser.add_argument("--demonstrations", type=int, default=100)
    parser.add_argument("--epochs", type=float, default=8.0)
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7, help="of the fresh starts")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("outputs/policy_success"))
    parser.add_argument("--policies", default="both cameras,blind,front alone,wrist alone")
    parser.add_argument("--as-trained-only", action="store_true", help="leave the wrong deployments out")
    given = parser.parse_args()
    out = given.out / f"{given.area}-{given.demonstrations}"
    station = twin(area=given.area)
    dataset = out / "demonstrations"
    if not dataset.exists():
        began = time.perf_counter()
        record(station, dataset, episodes=given.demonstrations, workers=given.workers)
        print(f"recorded in {time.perf_counter() - began:.0f} s", flush=True)
    print("| policy | deployment | success | trained in |\n| --- | --- | --- | --- |", flush=True)
    for name in given.policies.split(","):
        folder, seconds = trained(dataset, out / name.replace(" ", "-"), given.epochs, POLICIES[name])
        deployments = {"as trained": (station, INSTRUCTION)}
        if name == "both cameras" and not given.as_trained_only:
            deployments |= {
                "another instruction": (station, "Grasp a brain and put it in the bin."),
                "swapped cameras": (station.with_cameras_permuted(SWAP), INSTRUCTION),
                "scattered starts": (twin(area=given.area, starts="scattered"), INSTRUCTION),
            }
        for deployment, (where, task) in deployments.items():
            starts = range(given.starts)
            outcomes = score(folder, where, task=task, starts=starts, seed=given.seed, workers=given.workers)
            rate = Rate.of(outcome.success for outcome in outcomes)
            print(f"| {name} | {deployment} | {rate} | {seconds:.0f} s |", flush=True)


if __name__ == "__main__":
    main()
