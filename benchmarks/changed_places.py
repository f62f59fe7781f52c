"""Is a changed place told from a moved camera? `./run python benchmarks/changed_places.py --checkpoint RUN`.

RUN was trained on the twin, whose front camera then stood where it stands. It is moved by 4 to 9 cm anywhere across the
table, or turned; or it stays, and the table is raised by 2.5 to 4 cm. Of each, three first pictures are laid upon the
training's view. Prints Markdown: how often the camera is said to be moved, and how much of what differed goes when its
view is laid back, which is what tells the two apart.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from regrasp.cli.trials import station_of
from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.contract import CameraContract
from regrasp.diagnosis.moved_views import ViewLimits, unexplained, view_of
from regrasp.errors import CheckpointError
from regrasp.lerobot_bridge.quiet import prepare_environment
from regrasp.stats import Rate

CAMERA = "front"


def changes(seed: int, each: int) -> Iterator[tuple[str, str]]:
    """What is done to the twin: its kind, and the option `--fault`."""
    rng = np.random.default_rng(seed)
    for _ in range(each):
        angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.04, 0.09)
        x, y = far * np.cos(angle), far * np.sin(angle)
        yield "camera moved", f"moved-camera:camera={CAMERA},x={x:.3f},y={y:.3f}"
        turn = rng.choice([-1, 1]) * rng.uniform(6, 15)
        yield "camera turned", f"moved-camera:camera={CAMERA},turn={turn:.1f}"
        yield "table raised", f"unlisted-raised-table:metres={rng.uniform(0.025, 0.04):.3f}"


def first_pictures(fault: str, seeds: range) -> Iterator[np.ndarray]:
    """What the camera shows at the start of an episode."""
    from regrasp.lerobot_bridge.stations import connected

    with connected(station_of("twin", {"area": "2in", "fault": fault})) as robot:
        arm: Any = robot
        for seed in seeds:
            arm.reset(seed)
            yield arm.get_observation()[CAMERA]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--each", type=int, default=16, help="changes of each kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    prepare_environment()
    contract = read_checkpoint(options.checkpoint).contract
    if contract is None:
        raise CheckpointError(
            f"Found no contract in {options.checkpoint}; expected a run of `regrasp train`."
        )
    camera = contract.camera(CAMERA)
    found: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for number, (kind, fault) in enumerate(changes(options.seed, options.each)):
        seeds = range(10_000 + 3 * number, 10_000 + 3 * number + 3)
        found[kind] += [judged(camera, picture) for picture in first_pictures(fault, seeds)]
    print("| what was done | said to be moved | of what differed goes, laid back (least, median, most) |")
    print("| --- | --- | --- |")
    for kind, seen in found.items():
        gone = 100 * np.array([share for _, share in seen])
        spread = f"{gone.min():.0f}, {np.median(gone):.0f}, {gone.max():.0f} %"
        print(f"| {kind} | {Rate.of([moved for moved, _ in seen])} | {spread} |")
    print(f"\nAt least {100 * (1 - ViewLimits().unexplained):.0f} % must go.")


def judged(camera: CameraContract, picture: np.ndarray) -> tuple[bool, float]:
    """Whether a picture's view is called moved, and the share of what differs that goes when it is laid back."""
    view = view_of(camera, picture)
    if view is None or view.place is None:
        view, moved = view_of(camera, picture, ViewLimits(resemblance=-1.0, unexplained=np.inf)), False
    else:
        moved = bool(view.evidence)
    share = 0.0 if view is None or view.place is None else 1 - unexplained(camera, picture, view.place)
    return moved, share


if __name__ == "__main__":
    main()
