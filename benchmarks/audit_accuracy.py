"""How many injected defects the audit finds, and how quiet it is on sound data; writes docs/accuracy.md.

python benchmarks/audit_accuracy.py --write             everything: about half an hour on two cores
python benchmarks/audit_accuracy.py --only dark-camera  one defect

**Recall**: each fault at three severities on every sound dataset of benchmarks/sound_variants.py to which it
applies. A case counts as found when the check of its name reports exactly the episodes that were damaged.
**Silence**: several seeds of every variant; any warning or error is a false alarm.
"""

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from fault_severities import EVERYWHERE, SEVERITIES
from sound_variants import VARIANTS

from regrasp import faults
from regrasp.data import Dataset
from regrasp.diagnosis.finding import Severity
from regrasp.diagnosis.runner import checks_reading, run_checks
from regrasp.stats import Rate

OUT = Path(__file__).parents[1] / "docs" / "accuracy.md"
LEVELS = ("mild", "middling", "bad")


@dataclass
class Tally:
    """What came of the cases of one variant."""

    found: list[tuple[str, int, str, bool, tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)
    foreign: list[tuple[str, int, str, str]] = field(default_factory=list)
    alarms: list[tuple[str, int, str, str]] = field(default_factory=list)
    sound: int = 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", help="these defects alone")
    parser.add_argument("--variants", nargs="*", help="these datasets alone")
    parser.add_argument("--seeds", type=int, default=4, help="sound datasets of each variant for the silence")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the table into docs/accuracy.md")
    options = parser.parse_args()
    names = options.only or sorted(checks_reading({"dataset"}))
    variants = [i for i, v in enumerate(VARIANTS) if not options.variants or v.name in options.variants]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        jobs = [
            (variant, seed, names if seed == 0 else [])
            for seed in range(options.seeds)
            for variant in variants
        ]
        tallies = list(pool.map(judged, *zip(*jobs, strict=True)))
    text = report(names, tallies)
    print(text)
    if options.write:
        put_between(text)


def judged(place: int, seed: int, names: list[str]) -> Tally:
    """The silence of one sound dataset, and the recall of these faults in it."""
    variant, tally = VARIANTS[place], Tally()
    with tempfile.TemporaryDirectory() as folder:
        dataset = variant.write(seed, Path(folder) / "dataset")
        sound = run_checks({"dataset": dataset})
        tally.sound = 1
        tally.alarms = [
            (variant.name, seed, f.check, f"{f.where}: {f.summary}") for f in sound.findings if loud(f)
        ]
        undecided = {name for name, _ in sound.undecided}
        for name in names:
            if name not in undecided and name in SEVERITIES:
                for level in range(3):
                    inject(tally, variant.name, dataset, name, level)
        print(f"{variant.name}, seed {seed}", file=sys.stderr, flush=True)
    return tally


def inject(tally: Tally, variant: str, dataset: Dataset, name: str, level: int) -> None:
    """One case."""
    options, damaged = SEVERITIES[name](dataset, level)
    if options is None:
        return  # this fault does not apply to this dataset
    fault: Callable[..., Dataset] = getattr(faults, name.replace("-", "_"))
    try:
        result = run_checks({"dataset": fault(dataset, **options)})
    except Exception as error:  # a defect of ours: counted as a miss, and told
        print(f"{name} {LEVELS[level]} {variant}: {error!r}", file=sys.stderr, flush=True)
        tally.found.append((name, level, variant, False, (), ()))
        return
    own = [finding for finding in result.findings if finding.check == name]
    episodes = tuple(sorted({number for finding in own for number in finding.where.episodes}))
    everyone = tuple(episode.index for episode in dataset.episodes)
    wanted = everyone if damaged is EVERYWHERE else tuple(sorted(damaged))
    hit = bool(own) and (episodes == wanted or (damaged is EVERYWHERE and not episodes))
    tally.found.append((name, level, variant, hit, wanted, episodes))
    for finding in result.findings:
        if finding.check != name and loud(finding):
            tally.foreign.append(
                (name, level, variant, f"{finding.check} ({finding.where}) {finding.summary}")
            )


def loud(finding) -> bool:
    return finding.severity is not Severity.INFO


def report(names: list[str], tallies: list[Tally]) -> str:
    cases = [case for tally in tallies for case in tally.found]
    foreign = [case for tally in tallies for case in tally.foreign]
    alarms = [case for tally in tallies for case in tally.alarms]
    sound = sum(tally.sound for tally in tallies)
    lines = [
        "| defect | " + " | ".join(LEVELS) + " | together | other checks set off |",
        "|---|---|---|---|---|---|",
    ]
    by_name = defaultdict(list)
    for case in cases:
        by_name[case[0]].append(case)
    for name in names:
        own = by_name[name]
        levels = [Rate.of([hit for _, at, _, hit, _, _ in own if at == level]) for level in range(3)]
        others = Counter(text.split(" (")[0] for what, _, _, text in foreign if what == name)
        said = ", ".join(f"{check} {number}" for check, number in others.items()) or "none"
        together = Rate.of([hit for _, _, _, hit, _, _ in own])
        shares = " | ".join(f"{rate.k}/{rate.n}" for rate in levels)
        lines.append(f"| `{name}` | {shares} | {together} | {said} |")
    everything = Rate.of([hit for _, _, _, hit, _, _ in cases])
    lines += [
        "",
        f"All cases: {everything}.",
        "",
        f"Silence: {len(alarms)} false alarms on {sound} sound datasets.",
    ]
    lines += [f"- {variant}, seed {seed}: `{check}` {text}" for variant, seed, check, text in alarms]
    missed = [case for case in cases if not case[3]]
    if missed:
        lines += ["", "Missed or misplaced:", ""]
        lines += [
            f"- `{name}`, {LEVELS[level]}, {variant}: {place(wanted)} damaged, {place(episodes)} named"
            for name, level, variant, _, wanted, episodes in missed
        ]
    if foreign:
        lines += ["", "Set off by another defect:", ""]
        lines += [f"- `{name}`, {LEVELS[level]}, {variant}: {text}" for name, level, variant, text in foreign]
    return "\n".join(lines)


def place(episodes: tuple[int, ...]) -> str:
    return f"{len(episodes)} episodes" if len(episodes) > 4 else f"episodes {list(episodes)}"


def put_between(text: str, part: str = "audit") -> None:
    """Replace what stands between the marks of a part of docs/accuracy.md."""
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    page = OUT.read_text()
    before, rest = page.split(begin)
    _, after = rest.split(end)
    OUT.write_text(f"{before}{begin}\n{text}\n{end}{after}")


if __name__ == "__main__":
    main()
