"""Does diagnosis name the cause of a failure? `./run python benchmarks/fault_bench.py --checkpoint RUN --dataset D`.

RUN is a policy of the twin that succeeds nearly always, D its demonstrations (both as in docs/results.md). Each case is
rolled out with a fault, diagnosed from its files by the policy's own answers alone, then once more with `--confirm`
(the same starts again with each suspect put right). Then the command that the first cause prints is followed, and the
policy runs from fresh starts, as does the healthy one. Cases are noted in `--work` as they end: the same command goes on.

Faults and severities are drawn from the case's seed. Seeds of `--set develop` were looked at while the diagnosis was
written, some of `--set report` before it was mended (docs/accuracy.md says which); none of `--set fresh`.
`--write` puts the table into docs/accuracy.md.
"""

import argparse
import json
import resource
import shlex
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from regrasp.stats import Rate, compare_paired

SETS = {"develop": 0, "report": 1000, "fresh": 3000}
"""First seed of each set; they share no seed, so neither starts nor severities."""

EPISODES, SECONDS = 10, 6.0
"""Rollouts that a diagnosis sees, and how long they last at the most; a success takes 4 to 5."""

FRESH = 20
"""Starts, none of them diagnosed, on which the put-right policy is compared with the healthy one."""

WORDINGS = (
    "Grasp a brain and put it in the bin.", "Pick up the toy", "put the toy away", "Bring me the pink thing",
    "Place the object in the box", "Reach for the brain and lift it slowly", "clean the table",
)  # fmt: skip
"""Instructions that nobody trained with."""

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll")

Options = dict[str, str]
Draw = Callable[[np.random.Generator], Options]
"""What a fault adds to the options of `regrasp rollout`, its severity drawn by chance."""


def fault(name: str, **ranges: Any) -> Draw:
    """A fault of the twin; options that are pairs of numbers are drawn between them, tuples of words one of them."""

    def draw(rng: np.random.Generator) -> Options:
        options = {option: _drawn(rng, chosen) for option, chosen in ranges.items()}
        written = ",".join(f"{option}={value}" for option, value in options.items())
        return {"fault": f"{name}:{written}" if written else name}

    return draw


def one_of(*draws: Draw) -> Draw:
    return lambda rng: draws[int(rng.integers(len(draws)))](rng)


def _drawn(rng: np.random.Generator, chosen: Any) -> str:
    if all(isinstance(one, int | float) for one in chosen) and len(chosen) == 2:
        return f"{rng.uniform(*chosen):.3g}"
    return str(chosen[int(rng.integers(len(chosen)))])


def told(rng: np.random.Generator) -> Options:
    return {"task": WORDINGS[int(rng.integers(len(WORDINGS)))]}


def moved_front(rng: np.random.Generator) -> Options:
    """4 to 9 cm, anywhere across the table."""
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.04, 0.09)
    return {"fault": f"moved-camera:camera=front,x={far * np.cos(angle):.3f},y={far * np.sin(angle):.3f}"}


def offset(rng: np.random.Generator) -> Options:
    """10 to 18 degrees, either way, of a joint that the grasp depends on."""
    joint = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex")[int(rng.integers(4))]
    return {
        "fault": f"calibration-offset:joint={joint},degrees={rng.choice([-1, 1]) * rng.uniform(10, 18):.1f}"
    }


CAUSES: Mapping[str, Draw] = {
    "instruction-mismatch": told,
    "swapped-cameras": fault("swapped-cameras"),
    "flipped-camera": fault(
        "flipped-camera", camera=("front", "wrist"), turn=("half-turn", "left-right", "upside-down")
    ),
    "moved-camera": one_of(
        moved_front,
        fault("moved-camera", camera=("wrist",), turn=(12.0, 22.0)),
        fault("moved-camera", camera=("wrist",), turn=(-22.0, -12.0)),
    ),
    "changed-light": one_of(
        fault("changed-light", light=(0.3, 0.55)), fault("changed-light", light=(1.6, 2.2), warmth=(1.3, 2.0))
    ),
    "dark-camera": one_of(
        fault("dark-camera", light=(0.0, 0.03)),
        fault("dark-camera", camera=("front", "wrist"), light=(0.0, 0.03)),
    ),
    "exchanged-colours": fault("exchanged-colours", camera=("front", "wrist")),
    "frozen-camera": fault("frozen-camera", camera=("front", "wrist"), after=(0.0, 0.5)),
    "start-pose-shift": one_of(
        fault("start-pose-shift"), fault("start-pose-shift", joint=("shoulder_pan",), degrees=(-45.0, -25.0))
    ),
    "unit-mismatch": fault("unit-mismatch", unit=("-100..100", "rad")),
    "inverted-gripper": fault("inverted-gripper"),
    "calibration-offset": offset,
    "rate-mismatch": fault("rate-mismatch", times=(0.33, 0.5)),
    "late-inference": fault("late-inference", seconds=(0.8, 1.6)),
    "replanning-jumps": lambda rng: {"no-handover": "no-handover", "n-action-steps": "40"},
    "weak-grasp": fault("weak-grasp", gripper=(34.0, 45.0)),
    "uncovered-positions": lambda rng: {"area": "6in"},
}
"""What can be wrong with a deployment, by the name of the check."""

OF_TRAINING = {"too-few-epochs": "first epoch", "normalisation-mismatch": "other statistics"}
"""What can be wrong with a policy, and which one has it."""

UNKNOWN: Mapping[str, Draw] = {
    "unlisted-heavy-object": fault("unlisted-heavy-object", mass=(1.5, 3.0)),
    "unlisted-raised-table": fault("unlisted-raised-table", metres=(0.025, 0.04)),
    "unlisted-noised-weights": lambda rng: {},
    "unlisted-slippery-jaws": fault("unlisted-slippery-jaws", friction=(0.03, 0.12)),
}
"""What no check knows."""

PAIRS = (
    ("instruction-mismatch", "swapped-cameras"), ("instruction-mismatch", "flipped-camera"),
    ("changed-light", "start-pose-shift"), ("swapped-cameras", "start-pose-shift"),
    ("instruction-mismatch", "start-pose-shift"), ("exchanged-colours", "inverted-gripper"),
    ("flipped-camera", "unit-mismatch"), ("dark-camera", "instruction-mismatch"),
    ("moved-camera", "instruction-mismatch"), ("calibration-offset", "instruction-mismatch"),
)  # fmt: skip
"""Two causes at once."""


@dataclass(frozen=True)
class Case:
    """One deployment: which causes are in it (none in a healthy one), by which options, of which policy."""

    kind: str
    causes: tuple[str, ...]
    seed: int
    options: Options = field(default_factory=dict)
    policy: str = ""

    @property
    def name(self) -> str:
        """What the case is noted under."""
        return f"{self.kind}-{'+'.join(self.causes) or 'none'}-{self.seed}"


def cases(chosen: str, seeds: int, healthy: int, unknown: int, doubles: int) -> Iterator[Case]:
    """All cases of a set, in an order in which every part of them holds some of each kind."""
    first = SETS[chosen]
    for number in range(max(seeds, healthy, unknown, doubles)):
        seed = first + number
        if number < seeds:
            for name, draw in CAUSES.items():
                yield Case(
                    "single",
                    (name,),
                    seed,
                    {"area": "2in", "seconds": str(SECONDS), "seed": str(seed)} | draw(_rng(name, seed)),
                )
            for name, policy in OF_TRAINING.items():
                yield Case(
                    "single",
                    (name,),
                    seed,
                    {"area": "2in", "seconds": str(SECONDS), "seed": str(seed)},
                    policy,
                )
        if number < healthy:
            yield Case(
                "healthy",
                (),
                seed,
                {"area": "2in", "seconds": str(SECONDS), "seed": str(seed)} | _jitter(_rng("healthy", seed)),
            )
        if number < unknown:
            name = list(UNKNOWN)[number % len(UNKNOWN)]
            yield Case(
                "unknown",
                (name,),
                seed,
                {"area": "2in", "seconds": str(SECONDS), "seed": str(seed)} | UNKNOWN[name](_rng(name, seed)),
                "noised weights" if "weights" in name else "",
            )
        if number < doubles:
            pair = PAIRS[number % len(PAIRS)]
            yield Case("double", pair, seed, _both(pair, seed))


def _rng(name: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, *name.encode()])


def _jitter(rng: np.random.Generator) -> Options:
    """The light of another hour: up to 12 % brighter or darker. Where that does harm, the run is not a healthy one."""
    return {"fault": f"changed-light:light={rng.uniform(0.88, 1.12):.3f}"}


def _both(pair: tuple[str, str], seed: int) -> Options:
    options: Options = {"area": "2in", "seconds": str(SECONDS), "seed": str(seed)}
    for name in pair:
        drawn = CAUSES[name](_rng(name, seed))
        faults = [text for text in (options.get("fault"), drawn.pop("fault", None)) if text]
        options |= drawn | ({"fault": ";".join(faults)} if faults else {})
    return options


# -- one case, in a process of its own


def run_case(case: Case, checkpoint: str, dataset: str, work: str) -> dict[str, Any]:
    """What came of a case, as JSON values."""
    from regrasp.cli.trials import station_of
    from regrasp.data.rollouts import read_rollouts
    from regrasp.diagnosis.confirm import confirm
    from regrasp.diagnosis.diagnose import diagnose
    from regrasp.lerobot_bridge.policies import load_policy
    from regrasp.lerobot_bridge.rollout import rollout

    folder = Path(work) / "rollouts" / case.name
    shutil.rmtree(folder, ignore_errors=True)
    sound_checkpoint, checkpoint = checkpoint, _policy_of(case, checkpoint, Path(work))
    data, contract, policy = _loaded(checkpoint, dataset)
    began = time.monotonic()
    task = case.options.get("task") or next(iter(contract.instructions))
    rollout(
        checkpoint, station_of("twin", case.options), task=task, episodes=EPISODES, out=folder,
        seed=int(case.options["seed"]), seconds=SECONDS, called="twin", options=case.options,
        handover="no-handover" not in case.options,
        n_action_steps=int(case.options.get("n-action-steps", 0)) or None,
    )  # fmt: skip
    rolled_s = time.monotonic() - began
    began, spent = time.monotonic(), time.process_time()
    deployed = read_rollouts(folder)
    found = diagnose(
        checkpoint, train=data, rollouts=deployed, policy=policy, load=load_policy, station="twin"
    )
    seconds, cpu_s = time.monotonic() - began, time.process_time() - spent
    known = Outcomes(Path(work) / "outcomes.jsonl")
    confirmed = confirm(found, known.trial(checkpoint))
    fresh = range(100, 100 + FRESH)
    sound = known.trial(sound_checkpoint)(
        {"area": "2in", "seconds": str(SECONDS), "seed": case.options["seed"]}, fresh
    )
    shutil.rmtree(folder)
    restored = _followed(found, known, fresh, sound)
    return {
        "name": case.name, "kind": case.kind, "causes": case.causes, "options": case.options,
        "success": [found.success.k, found.success.n],
        "ranked": [[cause.name, cause.status.value] for cause in found.causes],
        "verdict": found.verdict,
        "confirmed": [[cause.name, cause.status.value] for cause in confirmed.causes],
        "confirmed_verdict": confirmed.verdict,
        "symptoms": [symptom.name for symptom in found.symptoms],
        "healthy": [sum(sound), FRESH],
        "restored": restored,
        "restored_confirmed": restored
        if confirmed.remedy == found.remedy
        else _followed(confirmed, known, fresh, sound),
        "seconds": round(seconds, 2), "cpu_s": round(cpu_s, 2), "rolled_s": round(rolled_s, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


def _policy_of(case: Case, checkpoint: str, work: Path) -> str:
    """The folder of the policy that a case is about, made once."""
    if not case.policy:
        return checkpoint
    if case.policy == "first epoch":
        return str(sorted((Path(checkpoint) / "checkpoints").glob("[0-9]*"))[0])
    folder = work / "policies" / f"{case.name}"
    shutil.rmtree(folder, ignore_errors=True)
    rng = _rng(case.policy, case.seed)
    if case.policy == "other statistics":
        from regrasp.faults.normalisation_mismatch import mis_normalised

        return str(mis_normalised(checkpoint, folder, times=float(rng.uniform(1.3, 2.0))))
    return str(_noised(checkpoint, folder, float(rng.uniform(0.5, 0.9)), rng))


def _noised(checkpoint: str, folder: Path, share: float, rng: np.random.Generator) -> Path:
    """A copy whose weights have noise of a share of their deviation."""
    from safetensors.numpy import load_file, save_file

    from regrasp.data.checkpoint import pretrained_folder

    shutil.copytree(pretrained_folder(checkpoint), folder)
    weights = load_file(folder / "model.safetensors")
    noised = {
        name: (one + share * one.std() * rng.normal(size=one.shape)).astype(one.dtype)
        if one.dtype.kind == "f"
        else one
        for name, one in weights.items()
    }
    save_file(noised, folder / "model.safetensors")
    return folder


def _followed(
    found: Any, known: "Outcomes", fresh: Sequence[int], sound: Sequence[bool]
) -> dict[str, Any] | None:
    """What the policy does once the printed command is followed: that of the verdict, else of the first cause."""
    first = next((cause.fix.command for cause in found.causes if cause.fix.command), None)
    command = found.remedy or first
    if command is None or " train " in command:
        return None  # a training of minutes is not repeated in every case
    *before, rollout = command.split(" && ")
    for step in before:
        if (
            subprocess.run(
                [sys.executable, "-m", "regrasp", *shlex.split(step)[1:]], capture_output=True
            ).returncode
            > 1
        ):
            return None
    outcomes = known.trial(shlex.split(rollout)[2])(_options_in(rollout), fresh)
    low, high = compare_paired(sound, outcomes).difference95
    return {"command": command, "k": sum(outcomes), "n": len(outcomes), "difference95": [low, high]}


class Outcomes:
    """Whether a policy succeeded, by its files, its options and the start: what has been run once is not run again.

    A rollout of the twin is the same whenever it is run (`tests/lerobot_bridge/test_scoring.py`), and most put-right
    deployments are the healthy one of the same seed.
    """

    def __init__(self, notes: Path) -> None:
        self.notes = notes
        lines = notes.read_text().splitlines() if notes.exists() else []
        self.known: dict[str, bool] = {key: end for line in lines for key, end in json.loads(line).items()}

    def trial(self, checkpoint: str) -> Any:
        """As `regrasp.cli.trials.trial_on_twin`."""
        from regrasp.cli.trials import trial_on_twin
        from regrasp.data.checkpoint import read_checkpoint

        found = read_checkpoint(checkpoint)
        weights = str((found.path / "model.safetensors").resolve())
        alone = found.contract.instructions if found.contract else ()
        fresh = trial_on_twin(checkpoint, "twin")

        def run(options: Options, starts: Sequence[int]) -> list[bool]:
            told = {name: value for name, value in options.items() if value}
            if [told.get("task")] == list(alone):
                del told["task"]  # what it is told anyway
            keys = {start: json.dumps([weights, sorted(told.items()), start]) for start in starts}
            new = [start for start in starts if keys[start] not in self.known]
            if new:
                self._note({keys[start]: end for start, end in zip(new, fresh(options, new), strict=True)})
            return [self.known[keys[start]] for start in starts]

        return run

    def _note(self, ended: Mapping[str, bool]) -> None:
        self.known.update(ended)
        with self.notes.open("a") as file:
            file.write(json.dumps(ended) + "\n")


def _options_in(command: str) -> Options:
    """Options of a printed `regrasp rollout ...`, but for where it writes."""
    from regrasp.diagnosis.address import given_in

    return {name: value for name, value in given_in(command) if name != "out"}


@cache
def _loaded(checkpoint: str, dataset: str) -> tuple[Any, Any, Any]:
    from regrasp.data.checkpoint import read_checkpoint
    from regrasp.data.contract_measuring import measure_contract
    from regrasp.data.dataset import read_dataset
    from regrasp.lerobot_bridge.policies import load_policy

    data, found = read_dataset(dataset), read_checkpoint(checkpoint)
    return data, found.contract or measure_contract(data, found), load_policy(checkpoint)


def _prepare() -> None:
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()


# -- all cases, and what they say


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--work", default="fault_bench", help="folder for rollouts and notes")
    parser.add_argument("--set", choices=SETS, default="develop", dest="chosen")
    parser.add_argument("--seeds", type=int, default=10, help="of each cause")
    parser.add_argument("--healthy", type=int, default=40)
    parser.add_argument("--unknown", type=int, default=20)
    parser.add_argument("--doubles", type=int, default=20)
    parser.add_argument("--only", nargs="*", help="kinds or causes")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the table into docs/accuracy.md")
    parser.add_argument(
        "--kept", type=Path, help="notes of an earlier run: its cases count, and new ones are added"
    )
    parser.add_argument("--no-run", action="store_true", help="report the cases that have been run")
    options = parser.parse_args()
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    notes = work / f"{options.chosen}.jsonl"
    wanted = list(cases(options.chosen, options.seeds, options.healthy, options.unknown, options.doubles))
    if options.only:
        wanted = [one for one in wanted if {one.kind, *one.causes} & set(options.only)]
    known = _read(notes) | (_read(options.kept) if options.kept else {})
    left = [case for case in wanted if case.name not in known and not options.no_run]
    options.work = str(work.resolve())
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn"), initializer=_prepare) as pool:
        running = {
            pool.submit(run_case, case, options.checkpoint, options.dataset, options.work): case
            for case in left
        }
        for count, future in enumerate(as_completed(running), 1):
            case = running[future]
            try:
                note = future.result()
            except Exception as error:  # a defect of ours: told, and tried again by the next run
                print(f"{case.name}: {error!r}", file=sys.stderr, flush=True)
                continue
            known[case.name] = note
            with notes.open("a") as file:
                file.write(json.dumps(note) + "\n")
            print(f"{count}/{len(left)} {_line(note)}", file=sys.stderr, flush=True)
    found = [known[case.name] for case in wanted if case.name in known]
    if options.kept:
        shown = {options.work: "WORK", options.checkpoint: "RUN", options.dataset: "D"}
        options.kept.write_text("".join(_shareable(note, shown) + "\n" for note in found))
    text = report(found)
    print(text)
    if options.write:
        from audit_accuracy import put_between

        put_between(text, "diagnosis")


def _read(notes: Path) -> dict[str, dict[str, Any]]:
    lines = notes.read_text().splitlines() if notes.exists() else []
    return {note["name"]: note for note in map(json.loads, lines)}


def _shareable(note: Mapping[str, Any], shown: Mapping[str, str]) -> str:
    """A note as a line, without paths of this machine."""
    line = json.dumps(note)
    for path, name in shown.items():
        line = line.replace(path, name)
    return line


def _line(note: Mapping[str, Any]) -> str:
    k, n = note["success"]
    ranked = ", ".join(f"{name} ({status})" for name, status in note["ranked"][:4])
    restored = note["restored"]
    again = f"-> {restored['k']}/{restored['n']}" if restored else "-> no command"
    return f"{note['name']}: {k}/{n}, verdict {note['verdict']}, {ranked or 'nothing'} {again}, {note['seconds']} s"


def report(notes: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: a row for each cause, the totals, and every miss."""
    by_cause = defaultdict(list)
    for note in notes:
        by_cause[(note["kind"], "+".join(note["causes"]))].append(note)
    singles = [note for note in notes if note["kind"] == "single" and harmful(note)]
    lines = [
        "| what was wrong | rollouts that succeeded | first | second | missed | verdict | verdict after reruns | "
        "command restores |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (kind, causes), own in sorted(by_cause.items()):
        if kind == "single":
            lines.append(_row(causes, own))
    lines += ["", *_totals(notes, singles), "", "Missed or invented, one by one:", ""]
    lines += [f"- {_line(note)}; {note['options']}" for note in notes if not as_it_should(note)]
    return "\n".join(lines)


def harmful(note: Mapping[str, Any]) -> bool:
    """Whether the fault did harm at all: a policy that does not care gives nothing to explain."""
    k, n = note["success"]
    return k <= n - 2


def place_of(note: Mapping[str, Any], ranked: str = "ranked") -> int | None:
    names = [name for name, status in note[ranked] if status in LIVE]
    return names.index(note["causes"][0]) if note["causes"][0] in names else None


LIVE = ("confirmed", "cause", "suspected")
"""Standings under which a cause is put before the user as one."""


def as_it_should(note: Mapping[str, Any]) -> bool:
    proven = {name for name, status in note["ranked"] if status in ("confirmed", "cause")}
    if note["kind"] == "single":
        return not harmful(note) or place_of(note) == 0
    if note["kind"] == "double":
        return set(note["causes"]) <= {name for name, status in note["ranked"] if status in LIVE}
    return proven == {"changed-light"} if _dimmed(note) else not proven


def _dimmed(note: Mapping[str, Any]) -> bool:
    """Whether it was meant as a healthy run, but its light did harm."""
    return note["kind"] == "healthy" and harmful(note)


def _row(causes: str, own: Sequence[Mapping[str, Any]]) -> str:
    bad = [note for note in own if harmful(note)]
    places = [place_of(note) for note in bad]
    k, n = (sum(note["success"][at] for note in own) for at in (0, 1))
    restored = [_restored(note) for note in bad]
    return (
        f"| `{causes}` | {Rate(k, n)} | {places.count(0)}/{len(bad)} | {places.count(1)} | "
        f"{sum(place is None or place > 1 for place in places)} | "
        f"{sum(note['verdict'] == causes for note in bad)}/{len(bad)} | "
        f"{sum(note['confirmed_verdict'] == causes for note in bad)}/{len(bad)} | "
        f"{sum(restored)}/{len(bad)} |"
    )


def _restored(note: Mapping[str, Any], which: str = "restored") -> bool:
    """Within 5 points of the healthy policy on the same fresh starts."""
    got = note[which]
    return got is not None and got["k"] / got["n"] >= note["healthy"][0] / note["healthy"][1] - 0.05 - 1e-9


def _totals(notes: Sequence[Mapping[str, Any]], singles: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    kinds = {
        kind: [note for note in notes if note["kind"] == kind] for kind in ("healthy", "unknown", "double")
    }
    unknown = [note for note in kinds["unknown"] if harmful(note)]
    dimmed = [note for note in kinds["healthy"] if _dimmed(note)]
    healthy = [note for note in kinds["healthy"] if not _dimmed(note)]
    for title, ranked, verdict, restored in (
        ("From files alone", "ranked", "verdict", "restored"),
        ("With `--confirm`", "confirmed", "confirmed_verdict", "restored_confirmed"),
    ):
        first = Rate.of([place_of(note, ranked) == 0 for note in singles])
        two = Rate.of([place_of(note, ranked) in (0, 1) for note in singles])
        right = Rate.of([note[verdict] == note["causes"][0] for note in singles])
        false = Rate.of([note[verdict] is not None for note in healthy])
        light = Rate.of([note[verdict] == "changed-light" for note in dimmed])
        null = Rate.of([note[verdict] is None for note in unknown])
        both = Rate.of(
            [
                set(note["causes"]) <= {name for name, status in note[ranked] if status in LIVE}
                for note in kinds["double"]
            ]
        )
        again = Rate.of([_restored(note, restored) for note in singles])
        yield (
            f"{title}: right cause first in {first}, among the first two in {two}, as the verdict in {right}; a "
            f"verdict on healthy runs in {false}; changed-light where only the light of another hour did harm in "
            f"{light}; none on unknown failures in {null}; both of two causes named in {both}; the printed command "
            f"restores success in {again}."
        )
    seconds = [note["seconds"] for note in notes]
    if seconds:
        yield (
            f"A diagnosis of {EPISODES} rollouts takes {np.median(seconds):.1f} s (median; longest "
            f"{max(seconds):.1f} s), {np.median([note['cpu_s'] for note in notes]):.1f} s of processor time, peak "
            f"{max(note['peak_mib'] for note in notes)} MiB in a process that also rolls out."
        )


if __name__ == "__main__":
    main()
