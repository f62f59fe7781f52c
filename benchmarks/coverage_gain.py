"""Do demonstrations help more where `regrasp coverage` asks for them? `./run python benchmarks/coverage_gain.py`.

In 6x6 inch: trains the small policy on 100 demonstrations, on 241, and on 241 and 50 more, once with the object anywhere
and once at the 50 places that `regrasp coverage` proposes for the 241. All are trained for as many steps (enough samples
for a policy from scratch, as `regrasp plan` counts) and scored on the same fresh starts. Prints a Markdown table of k/n
with Wilson intervals, how large the largest hole is, and the paired differences. Finished parts are noted in `--out`; the
same command goes on.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from regrasp.lerobot_bridge.quiet import prepare_environment

prepare_environment()

from notes import Notes, trained  # noqa: E402 - torch reads the environment as it is imported

from regrasp.data.selection import checkpoints_of  # noqa: E402
from regrasp.data.station import Station, twin  # noqa: E402
from regrasp.diagnosis.coverage import coverage  # noqa: E402
from regrasp.lerobot_bridge.merging import merge  # noqa: E402
from regrasp.lerobot_bridge.recording import ATTEMPTS, record, scene_seed  # noqa: E402
from regrasp.lerobot_bridge.scoring import score  # noqa: E402
from regrasp.sim.environment import Twin  # noqa: E402
from regrasp.sim.scene import AREA_CENTRE  # noqa: E402
from regrasp.stats import Rate, compare_paired  # noqa: E402

INSTRUCTION = "Grab the brain"
AREA = "6in"
MORE_SEED = 1
"""Of the demonstrations that come on top; they share no scene with the first ones."""


class Placing:
    """A generator that lays the object at one place, and draws everything else."""

    def __init__(self, rng: np.random.Generator, place: tuple[float, float]) -> None:
        self._rng, self._offset = rng, np.array(place) - AREA_CENTRE

    def uniform(self, low: float, high: float, size: int | None = None) -> Any:
        """The place where two numbers are drawn at once, else what the generator draws."""
        drawn = self._rng.uniform(low, high, size)
        return drawn if size is None else self._offset


def record_at(station: Station, dataset: Path, places: Sequence[tuple[float, float]], seed: int) -> None:
    """A demonstration with the object at each of these places, metres in the base frame."""
    wanted = {
        scene_seed("record", seed, episode, attempt): place
        for episode, place in enumerate(places)
        for attempt in range(ATTEMPTS)
    }
    lay = Twin._place_toy

    def laid(twin: Twin, rng: np.random.Generator) -> tuple[float, float, float]:
        place = wanted.get(twin._seed)
        return lay(twin, rng) if place is None else lay(twin, Placing(rng, place))  # type: ignore[arg-type]

    with mock.patch.object(Twin, "_place_toy", laid):
        record(station, dataset, episodes=len(places), seed=seed)


def datasets(station: Station, given: argparse.Namespace) -> dict[str, tuple[Path, list[str]]]:
    """Name -> folder, and the options that choose its episodes."""
    many, few, more = given.many, given.few, given.more
    out, base = given.out, given.out / "base"
    if not base.exists():
        record(station, base, episodes=many, workers=given.workers)
    uniform, proposed = out / "more-anywhere", out / "more-proposed"
    if not uniform.exists():
        record(station, uniform, episodes=more, seed=MORE_SEED, workers=given.workers)
    if not proposed.exists():
        places = coverage(base, area=AREA, centre=tuple(AREA_CENTRE), next_episodes=more).next
        record_at(station, proposed, [(one.x_m, one.y_m) for one in places], MORE_SEED)
    for name, part in (("with-anywhere", uniform), ("with-proposed", proposed)):
        if not (out / name).exists():
            merge([base, part], out / name)
    first = [f"--dataset.episodes={json.dumps(list(range(few)))}"]
    return {
        f"{few}": (base, first),
        f"{many}": (base, []),
        f"{many} + {more} anywhere": (out / "with-anywhere", []),
        f"{many} + {more} where coverage asked": (out / "with-proposed", []),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--many", type=int, default=241)
    parser.add_argument("--more", type=int, default=50)
    parser.add_argument("--steps", type=int, default=3200, help="of batch 64")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each")
    parser.add_argument("--fresh", type=int, default=200, help="starts that judge")
    parser.add_argument("--seed", type=int, default=7, help="of the starts that judge")
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("outputs/coverage_gain"))
    given = parser.parse_args()
    station = twin(area=AREA, size=given.size)
    notes = Notes(given.out / "notes.json")
    done: dict[str, list[bool]] = {}
    print("| demonstrations | largest hole | success |\n| --- | --- | --- |", flush=True)
    for name, (dataset, options) in datasets(station, given).items():
        hole = coverage(dataset, area=AREA, centre=tuple(AREA_CENTRE)).map if not options else None
        done[name] = []
        for number in range(given.seeds):
            run = trained(dataset, given.out / f"run-{name.replace(' ', '-')}-{number}", steps=given.steps,
                          batch=64, seed=1000 + number, hold_out=0,
                          options=[f"--policy.image_size={given.size}", *options])  # fmt: skip
            step = max(checkpoints_of(run))
            done[name] += notes.once(
                f"{run.name} step {step} on {given.fresh} of {given.seed}",
                lambda run=run, step=step: [
                    bool(one.success)
                    for one in score(checkpoints_of(run)[step], station, task=INSTRUCTION,
                                     starts=range(given.fresh), seed=given.seed, workers=given.workers,
                                     ray=given.ray)
                ],
            )  # fmt: skip
        size = "" if hole is None else f"{200 * hole.hole.radius_m:.1f} cm wide"
        print(f"| {name} | {size} | {Rate.of(done[name])} |", flush=True)
    names = list(done)
    print()
    for a, b in ((names[0], names[1]), (names[1], names[2]), (names[1], names[3]), (names[2], names[3])):
        print(f"- {compare_paired(done[a], done[b]).told(a, b)}")


if __name__ == "__main__":
    main()
