"""How surely preflight stops a wrongly set station: `./run python benchmarks/preflight_accuracy.py --dataset D`.

D is a recording of the twin (`regrasp record --station twin --expert --episodes 12 --area 2in --size 96 --dataset D`).
Of each kind, stations are set up wrongly in ways drawn by chance, and asked what they show; preflight must stop each of
them under the right name. Then the fix that is printed is followed as a machine can follow it (a number, a name or an
option taken from its words), and preflight must let the station go. Rightly set stations, in which light, cameras
and starts vary as they do from day to day, must not be stopped.

The contract is measured from D; no policy runs, so that the time of a query is drawn as well. Prints Markdown.
"""

import argparse
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from regrasp import faults
from regrasp.data.checkpoint import Checkpoint
from regrasp.data.contract import Contract
from regrasp.data.contract_measuring import measure_contract
from regrasp.data.dataset import Dataset, read_dataset
from regrasp.data.episode import Camera
from regrasp.data.station import Station, parse_permutation, twin
from regrasp.data.statistics import pooled_statistics
from regrasp.diagnosis.finding import Finding
from regrasp.diagnosis.preflight import LiveView, preflight
from regrasp.diagnosis.runner import check_names
from regrasp.faults.flipped_camera import TURNS
from regrasp.faults.mis_set_station import mis_set_station
from regrasp.lerobot_bridge.quiet import prepare_environment
from regrasp.stats import Rate

WORDINGS = (
    "", "grab the brain", "Grab the brain.", "Grab  the brain", " Grab the brain", "Grab the brain ", "GRAB THE BRAIN",
    "Grab the brаin", "Grаb the brain", "Grab\u00a0the brain", "Grab a brain", "Grab the brain!", "Grab thebrain",
    "Grasp a brain and put it in the bin.", "Pick up the toy", "Grab the pink brain", "brain", "Greif das Gehirn",
    "Grab the brain\n", "Grab the brian",
)  # fmt: skip
"""Instructions other than the training's "Grab the brain": by a letter that looks the same, or by all."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What there is to compare with: the contract, the checkpoint, the contract with a third camera."""

    contract: Contract
    checkpoint: Checkpoint
    with_side: Contract


@dataclass(frozen=True, eq=False)
class Case:
    """One station: what it shows, and what it showed if nothing were wrong."""

    view: LiveView
    sound: LiveView
    checkpoint: Checkpoint
    contract: Contract
    at_home: LiveView | None = None


def trained_on(data: Dataset) -> Trained:
    checkpoint = checkpoint_of(data)
    with_side = replace(
        data,
        camera_names=(*data.camera_names, "side"),
        episodes=tuple(
            replace(one, cameras={**one.cameras, "side": side_camera(one.cameras["front"])})
            for one in data.episodes
        ),
    )
    return Trained(
        measure_contract(data, checkpoint), checkpoint, measure_contract(with_side, checkpoint_of(with_side))
    )


def checkpoint_of(data: Dataset) -> Checkpoint:
    """A checkpoint such as training on the data leaves behind, without weights."""
    features: dict[str, Any] = {
        f"observation.images.{name}": {"type": "VISUAL", "shape": [3, 96, 96]} for name in data.camera_names
    }
    features["observation.state"] = {"type": "STATE", "shape": [6]}
    statistics = {
        "observation.state": pooled_statistics(data.states),
        "action": pooled_statistics(data.actions),
    }
    config = {
        "input_features": features,
        "output_features": {"action": {"type": "ACTION", "shape": [6]}},
        "normalization_mapping": {"STATE": "MEAN_STD", "ACTION": "MEAN_STD"},
        "chunk_size": 40,
        "n_action_steps": 20,
    }
    hashes = {"config.json": "a" * 64, "model.safetensors": "b" * 64}
    return Checkpoint(
        Path("none"), "smolvla", config, step=100, batch_size=8, normalizer=statistics, unnormalizer=statistics,
        hashes=hashes,
    )  # fmt: skip


def side_camera(front: Camera) -> Camera:
    """A third view, which the twin lacks: the middle of the front camera's first picture, mirrored, and larger, held."""
    first = side_picture(front.frames([0])[0])
    return Camera.from_array("side", np.broadcast_to(first, (front.length, *first.shape)), front.fps)


def side_picture(picture: Any) -> Any:
    height, width = picture.shape[:2]
    middle = picture[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    return np.ascontiguousarray(np.kron(middle, np.ones((2, 2, 1), np.uint8))[:, ::-1])


def looks(station: Station, seeds: Iterator[int], count: int, rng: np.random.Generator) -> list[LiveView]:
    """What a station shows at the start of `count` episodes; a query is drawn to take 5 to 30 ms."""
    prepare_environment()
    from regrasp.lerobot_bridge.live_view import live_view
    from regrasp.lerobot_bridge.stations import connected

    views: list[LiveView] = []
    with connected(station) as robot:
        for _ in range(count):
            robot.reset(next(seeds))
            seen = robot.get_observation()
            views.append(
                live_view(
                    robot,
                    seen,
                    "Grab the brain",
                    fps=station.fps,
                    inference_s=float(rng.uniform(0.005, 0.03)),
                )
            )
    return views


def jittered(rng: np.random.Generator) -> dict[str, Any]:
    """A room as it is on another day: lamp by a fifth, its colour by 3 %, cameras by 5 mm and 1.5 degrees."""
    return {
        "light": float(rng.uniform(0.8, 1.2)),
        "light_rgb": (1 + rng.uniform(-0.03, 0.03, 3)).tolist(),
        "front_shift_m": _direction(rng, rng.uniform(0, 0.005)),
        "wrist_turn_deg": _direction(rng, rng.uniform(0, 1.5)),
    }


def _direction(rng: np.random.Generator, length: float) -> list[float]:
    vector = rng.normal(size=3)
    return (length * vector / np.linalg.norm(vector)).tolist()


def room(**appearance: Any) -> Station:
    station = twin()
    return station.model_copy(update={"robot": {**station.robot, "appearance": appearance}})


# -- stations set up wrongly


def in_sound_views(
    change: Callable[[LiveView, np.random.Generator], LiveView],
) -> Callable[..., Iterator[Case]]:
    """Cases that differ from sound stations by a change of what these show."""

    def make(trained: Trained, sound: list[LiveView], rng: np.random.Generator, _: Any) -> Iterator[Case]:
        for view in sound:
            yield Case(change(view, rng), view, trained.checkpoint, trained.contract)

    return make


def in_the_room(draw: Callable[[np.random.Generator], dict[str, Any]]) -> Callable[..., Iterator[Case]]:
    """Cases in rooms that look different; each is rendered."""

    def make(
        trained: Trained, sound: list[LiveView], rng: np.random.Generator, seeds: Iterator[int]
    ) -> Iterator[Case]:
        for view in sound:
            (seen,) = looks(room(**draw(rng)), seeds, 1, rng)
            yield Case(seen, view, trained.checkpoint, trained.contract)

    return make


def instruction(trained: Trained, sound: list[LiveView], _r: Any, _s: Any) -> Iterator[Case]:
    for view, words in zip(sound, WORDINGS, strict=False):
        yield Case(replace(view, instruction=words), view, trained.checkpoint, trained.contract)


def swapped_three(
    trained: Trained, sound: list[LiveView], rng: np.random.Generator, _: Any
) -> Iterator[Case]:
    orders = [
        order for order in permutations(("front", "wrist", "side")) if order != ("front", "wrist", "side")
    ]
    for number, view in enumerate(sound):
        images = {**view.images, "side": side_picture(view.images["front"])}
        order = orders[number % len(orders)]
        whole = replace(view, images=images)
        exchanged = {name: images[source] for name, source in zip(images, order, strict=True)}
        yield Case(replace(whole, images=exchanged), whole, trained.checkpoint, trained.with_side)


def scattered(
    trained: Trained, sound: list[LiveView], rng: np.random.Generator, seeds: Iterator[int]
) -> Iterator[Case]:
    station = mis_set_station(twin(), "start-pose-shift")
    for seen, view in zip(looks(station, seeds, len(sound), rng), sound, strict=True):
        yield Case(seen, view, trained.checkpoint, trained.contract, at_home=view)


def by_wrapper(fault: str) -> Callable[..., Iterator[Case]]:
    def make(
        trained: Trained, sound: list[LiveView], rng: np.random.Generator, seeds: Iterator[int]
    ) -> Iterator[Case]:
        for seen, view in zip(
            looks(mis_set_station(twin(), fault), seeds, len(sound), rng), sound, strict=True
        ):
            yield Case(seen, view, trained.checkpoint, trained.contract)

    return make


def in_the_checkpoint(
    change: Callable[[Checkpoint, np.random.Generator], Checkpoint],
) -> Callable[..., Iterator[Case]]:
    def make(trained: Trained, sound: list[LiveView], rng: np.random.Generator, _: Any) -> Iterator[Case]:
        for view in sound:
            yield Case(view, view, change(trained.checkpoint, rng), trained.contract)

    return make


def exchange(view: LiveView, names: dict[str, str]) -> LiveView:
    return replace(view, images={name: view.images[names.get(name, name)] for name in view.images})


def flip(view: LiveView, rng: np.random.Generator) -> LiveView:
    name, turn = str(rng.choice(list(view.images))), str(rng.choice(list(TURNS)))
    return replace(view, images={**view.images, name: np.ascontiguousarray(TURNS[turn](view.images[name]))})


def without_one(view: LiveView, rng: np.random.Generator) -> LiveView:
    lost = rng.choice(list(view.images))
    return replace(view, images={name: picture for name, picture in view.images.items() if name != lost})


def another_unit(view: LiveView, rng: np.random.Generator) -> LiveView:
    return faults.unit_mismatch(view, unit=str(rng.choice(["-100..100", "rad", "counts"])))


def another_rate(view: LiveView, rng: np.random.Generator) -> LiveView:
    return replace(view, fps=float(rng.choice([5, 10, 15, 20, 25, 50, 60])))


def another_order(view: LiveView, rng: np.random.Generator) -> LiveView:
    one, other = rng.choice(6, 2, replace=False)
    return faults.changed_joint_order(view, exchanged=(int(one), int(other)))


def too_slow(view: LiveView, rng: np.random.Generator) -> LiveView:
    """Queries of 80 to 150 ms, and so few actions of them that a quarter of the rate or more is lost."""
    seconds = float(rng.uniform(0.08, 0.15))
    most = int(3 * 30 * (seconds - 1 / 30))
    return faults.late_inference(view, inference_s=seconds, n_action_steps=int(rng.integers(1, most + 1)))


def other_statistics(checkpoint: Checkpoint, rng: np.random.Generator) -> Checkpoint:
    """From a thousandth to twice as large."""
    return faults.normalisation_mismatch(checkpoint, times=float(1 + 10 ** rng.uniform(-3, 0)))


KINDS: dict[str, tuple[str, Callable[..., Iterator[Case]]]] = {
    "another instruction": ("instruction-mismatch", instruction),
    "two cameras exchanged": ("swapped-cameras", in_sound_views(
        lambda view, _: exchange(view, {"front": "wrist", "wrist": "front"}))),
    "three cameras exchanged": ("swapped-cameras", swapped_three),
    "a camera missing": ("missing-camera", in_sound_views(without_one)),
    "a camera flipped": ("flipped-camera", in_sound_views(flip)),
    "front camera moved 3.5-8 cm": ("moved-camera", in_the_room(
        lambda rng: {"front_shift_m": _direction(rng, rng.uniform(0.035, 0.08))})),
    "wrist camera turned 11-20 degrees": ("moved-camera", in_the_room(
        lambda rng: {"wrist_turn_deg": _direction(rng, rng.uniform(11, 20))})),
    "a camera dark": ("dark-camera", in_sound_views(
        lambda view, _: replace(view, images={**view.images, "front": view.images["front"] // 60}))),
    "start pose elsewhere": ("start-pose-shift", scattered),
    "another unit": ("unit-mismatch", in_sound_views(another_unit)),
    "another unit, as the robot hands it on": ("unit-mismatch", by_wrapper("unit-mismatch")),
    "another rate": ("rate-mismatch", in_sound_views(another_rate)),
    "other statistics": ("normalisation-mismatch", in_the_checkpoint(other_statistics)),
    "other weights": ("changed-policy-files", in_the_checkpoint(lambda one, _: faults.changed_policy_files(one))),
    "joints in another order": ("changed-joint-order", in_sound_views(another_order)),
    "an infeasible horizon": ("late-inference", in_sound_views(too_slow)),
}  # fmt: skip
"""Ways to be wrong: the name that must stop it, and the stations."""


# -- following the fix


def follow(finding: Finding, case: Case) -> Case | None:
    """The station after what the fix says was done; None where its words do not tell a machine how."""
    command, words = finding.fix.command or "", finding.fix.summary
    view = case.view
    if option := re.search(r"--cameras (\S+)", command):
        return replace(case, view=exchange(view, parse_permutation(option[1])))
    if option := re.search(r"--task '(.*?)'", command):
        return replace(case, view=replace(view, instruction=option[1]))
    if option := re.search(r"--n-action-steps (\d+)", command):
        return replace(case, view=replace(view, n_action_steps=int(option[1])))
    if "--starts home" in command and case.at_home is not None:
        return replace(case, view=case.at_home)
    if option := re.search(r"`fps: ([\d.]+)`", words):
        return replace(case, view=replace(view, fps=float(option[1])))
    if "`use_degrees: true`" in words:  # the driver then reports degrees
        return replace(case, view=case.sound)
    if option := re.search(r"whose joints come as ([\w, ]+)\.", words):
        order = option[1].split(", ")
        values = dict(zip(view.joint_names, view.joints, strict=True))
        return replace(
            case,
            view=replace(view, joint_names=tuple(order), joints=np.array([values[name] for name in order])),
        )
    return None


def by_hand(name: str, case: Case, trained: Trained) -> Case | None:
    """What a person does whom the fix tells to put something back: the file, the plug, the camera."""
    if name in ("normalisation-mismatch", "changed-policy-files"):
        return replace(case, checkpoint=trained.checkpoint)
    if name in ("missing-camera", "flipped-camera", "moved-camera", "dark-camera"):
        return replace(case, view=case.sound)
    return None


def judge_kind(name: str, cases: list[Case], trained: Trained) -> dict[str, Any]:
    named = stopped = cured = machine = 0
    seen: Counter[str] = Counter()
    for case in cases:
        judged = preflight(case.contract, case.view, checkpoint=_of(case, trained))
        blocking = {finding.check for finding in judged.blocking}
        stopped += not judged.go
        named += blocking == {name}
        seen.update(blocking or {"(go)"})
        fixes = [follow(finding, case) for finding in judged.blocking if finding.check == name]
        found = next((fix for fix in fixes if fix is not None), None)
        machine += found is not None
        after = found or (by_hand(name, case, trained) if name in blocking else None)
        cured += (
            after is not None and preflight(after.contract, after.view, checkpoint=_of(after, trained)).go
        )
    return {
        "n": len(cases),
        "stopped": stopped,
        "named": named,
        "machine": machine,
        "cured": cured,
        "seen": seen,
    }


def _of(case: Case, trained: Trained) -> Checkpoint | None:
    """The checkpoint of the case; none for three cameras, whose checkpoint was made for its contract alone."""
    return case.checkpoint if case.contract is trained.contract else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, required=True, help="demonstrations of the twin, 96 pixels")
    parser.add_argument("--stations", type=int, default=20, help="wrongly set stations of each kind")
    parser.add_argument("--sound", type=int, default=200, help="rightly set stations")
    parser.add_argument("--seed", type=int, default=0, choices=range(20), metavar="0-19")
    parser.add_argument(
        "--only", help="kinds whose title contains this ('camera'), the rightly set among them"
    )
    given = parser.parse_args()
    began = time.perf_counter()
    trained = trained_on(read_dataset(given.dataset))
    kinds = {what: kind for what, kind in KINDS.items() if (given.only or "") in what}
    if kinds:
        print_kinds(kinds, trained, given.stations, given.seed)
    if (given.only or "") in RIGHTLY_SET:
        print_rightly_set(trained, given.sound, given.seed)
    print(f"{time.perf_counter() - began:.0f} s")


RIGHTLY_SET = "rightly set stations"


def drawn(seed: int, what: str) -> tuple[np.random.Generator, Iterator[int]]:
    """Chance for one kind of stations, the same whichever others are judged: a generator, and seeds of the twin."""
    place = [*KINDS, RIGHTLY_SET].index(what)
    return np.random.default_rng([seed, place]), iter(
        range(1_000_000 * (1 + 100 * seed + place), 2_000_000_000)
    )


def print_kinds(
    kinds: dict[str, tuple[str, Callable[..., Iterator[Case]]]], trained: Trained, count: int, seed: int
) -> None:
    """A line for each kind of wrongly set stations."""
    print(
        "| station | name | stopped | under this name alone | fix told a machine how | goes after the fix |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for what, (name, make) in kinds.items():
        rng, seeds = drawn(seed, what)
        sound = looks(twin(), seeds, count, rng)
        if name not in check_names():
            print(f"| {what} | {name} | no such check yet | | | |", flush=True)
            continue
        told = judge_kind(name, list(make(trained, sound, rng, seeds)), trained)
        others = {other: times for other, times in told["seen"].items() if other != name}
        note = f" ({', '.join(f'{other} {times}' for other, times in others.items())})" if others else ""
        n = told["n"]
        print(f"| {what} | {name} | {told['stopped']}/{n} | {told['named']}/{n}{note} | "
              f"{told['machine']}/{n} | {told['cured']}/{n} |", flush=True)  # fmt: skip


def print_rightly_set(trained: Trained, count: int, seed: int) -> None:
    """How many of them are stopped, and by which checks."""
    rng, seeds = drawn(seed, RIGHTLY_SET)
    stopped: Counter[str] = Counter()
    wrongly = 0
    for _ in range(0, count, 4):
        for view in looks(room(**jittered(rng)), seeds, min(4, count), rng):
            judged = preflight(trained.contract, view, checkpoint=trained.checkpoint)
            wrongly += not judged.go
            stopped.update(finding.check for finding in judged.blocking)
    print(f"\n{RIGHTLY_SET} stopped: {Rate(wrongly, count)}; {dict(stopped)}")


if __name__ == "__main__":
    main()
