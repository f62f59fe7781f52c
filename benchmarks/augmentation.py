"""Does `--augment light` help in another light? `./run python benchmarks/augmentation.py --dataset D`.

Trains the small policy with and without it, and scores both on the same starts in rooms that are darker and brighter
than the one the demonstrations were recorded in. Prints a Markdown table of k/n with Wilson intervals, and the interval
of the difference on paired starts.
"""

import argparse
from pathlib import Path

from regrasp.lerobot_bridge.quiet import prepare_environment

prepare_environment()

from regrasp.data.station import Station, twin  # noqa: E402 - torch reads the environment as it is imported
from regrasp.lerobot_bridge.scoring import score  # noqa: E402
from regrasp.lerobot_bridge.training import train  # noqa: E402
from regrasp.stats import Rate  # noqa: E402

INSTRUCTION = "Grab the brain"
LIGHTS = (0.45, 0.6, 1.0, 1.4)


def lit(light: float) -> Station:
    """The twin in a room with so many times the light."""
    station = twin()
    return station.model_copy(update={"robot": station.robot | {"appearance": {"light": light}}})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, required=True, help="demonstrations in 2x2 inch, 96x96")
    parser.add_argument("--augment", default="light")
    parser.add_argument("--epochs", type=float, default=8.0)
    parser.add_argument("--lights", type=float, nargs="+", default=LIGHTS)
    parser.add_argument("--starts", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7, help="of the starts")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--without", type=Path, help="a run without it that is there already")
    parser.add_argument("--out", type=Path, default=Path("outputs/augmentation"))
    given = parser.parse_args()
    runs = {"": given.without or given.out / "without", given.augment: given.out / "with"}
    for augment, run in runs.items():
        if not run.exists():
            train(given.dataset, run, epochs=given.epochs, augment=augment)
    print("| light | without | with | both, first only, second only, neither |\n| --- | --- | --- | --- |")
    for light in given.lights:
        done = [
            [
                bool(one.success)
                for one in score(
                    run,
                    lit(light),
                    task=INSTRUCTION,
                    starts=range(given.starts),
                    seed=given.seed,
                    workers=given.workers,
                )
            ]
            for run in runs.values()
        ]
        rates = [f"{Rate(sum(one), len(one))}" for one in done]
        pairs = [sum(pair == (a, b) for pair in zip(*done, strict=True)) for a, b in
                 ((True, True), (True, False), (False, True), (False, False))]  # fmt: skip
        print(f"| {light:g} | {' | '.join(rates)} | {', '.join(map(str, pairs))} |", flush=True)


if __name__ == "__main__":
    main()
