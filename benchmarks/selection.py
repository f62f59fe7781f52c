"""Is the checkpoint that is chosen better than the last? `./run python benchmarks/selection.py`.

Trains the small policy with several seeds on the same demonstrations, lets `regrasp select` choose a checkpoint of each
run, and scores the chosen one, the last, the one of least held-out error and the one that `--held-out` would choose on
the same fresh starts, none of which had a say. Prints a Markdown table of k/n with Wilson intervals and the paired
differences over all seeds. Finished parts are noted in `--out`; the same command goes on.
"""

import argparse
from pathlib import Path

from regrasp.lerobot_bridge.quiet import prepare_environment

prepare_environment()

from notes import Notes, trained  # noqa: E402 - torch reads the environment as it is imported

from regrasp.data.journal import read_journal  # noqa: E402
from regrasp.data.selection import checkpoints_of  # noqa: E402
from regrasp.data.station import Station, twin  # noqa: E402
from regrasp.lerobot_bridge.recording import record  # noqa: E402
from regrasp.lerobot_bridge.scoring import score  # noqa: E402
from regrasp.lerobot_bridge.selecting import select  # noqa: E402
from regrasp.stats import Rate, compare_paired  # noqa: E402
from regrasp.training.selection import by_held_out, held_out_errors  # noqa: E402

INSTRUCTION = "Grab the brain"
KINDS = ("chosen", "last", "least held-out", "--held-out")
MARGIN = 0.02
"""The chosen one is to be no more than two points below the last one."""


def steps_of(run: Path, station: Station, given: argparse.Namespace) -> dict[str, int]:
    """The step of each kind of checkpoint."""
    chosen = select(run, station, task=INSTRUCTION, starts=given.starts, seed=given.select_seed,
                    workers=given.workers, ray=given.ray)  # fmt: skip
    steps = list(checkpoints_of(run))
    journal = read_journal(run)
    errors = {step: error for step, error in held_out_errors(journal).items() if step in steps}
    held_out = journal and by_held_out(journal, steps)
    return {
        "chosen": chosen.step,
        "last": steps[-1],
        "least held-out": min(errors, key=lambda step: errors[step]) if errors else steps[-1],
        "--held-out": held_out.step if held_out else steps[-1],
    }


def outcomes(run: Path, step: int, station: Station, given: argparse.Namespace) -> list[bool]:
    """Whether each fresh start succeeds."""
    scored = score(checkpoints_of(run)[step], station, task=INSTRUCTION, starts=range(given.fresh),
                   seed=given.seed, workers=given.workers, ray=given.ray)  # fmt: skip
    return [bool(one.success) for one in scored]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--area", default="2in", choices=["2in", "6in"])
    parser.add_argument("--demonstrations", type=int, default=60)
    parser.add_argument("--dataset", type=Path, help="demonstrations that are there already")
    parser.add_argument("--epochs", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=5, help="trainings")
    parser.add_argument("--starts", type=int, default=60, help="starts that choose")
    parser.add_argument("--select-seed", type=int, default=0, help="of the starts that choose")
    parser.add_argument("--fresh", type=int, default=100, help="starts that judge")
    parser.add_argument("--seed", type=int, default=7, help="of the starts that judge")
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("outputs/selection"))
    given = parser.parse_args()
    station = twin(area=given.area, size=given.size)
    dataset = given.dataset or given.out / "demonstrations"
    if not dataset.exists():
        record(station, dataset, episodes=given.demonstrations, workers=given.workers)
    notes = Notes(given.out / "notes.json")
    done: dict[str, list[list[bool]]] = {kind: [] for kind in KINDS}
    print(f"| training seed | {' | '.join(KINDS)} |\n| --- |{' --- |' * len(KINDS)}", flush=True)
    for number in range(given.seeds):
        run = trained(dataset, given.out / f"run-{number}", epochs=given.epochs, seed=1000 + number,
                      options=[f"--policy.image_size={given.size}"])  # fmt: skip
        steps = notes.once(
            f"{number} steps {given.starts} {given.select_seed}",
            lambda run=run: steps_of(run, station, given),
        )
        cells: list[str] = []
        for kind in KINDS:
            step = steps[kind]
            part = f"{number} step {step} on {given.fresh} of {given.seed}"
            found = notes.once(part, lambda run=run, step=step: outcomes(run, step, station, given))
            done[kind].append(found)
            cells.append(f"{Rate.of(found)}, step {step}")
        print(f"| {1000 + number} | {' | '.join(cells)} |", flush=True)
    print_totals(done)


def print_totals(done: dict[str, list[list[bool]]]) -> None:
    """All seeds together; pairs are the same start of the same training."""
    together = {kind: [one for found in of for one in found] for kind, of in done.items()}
    print(f"| all | {' | '.join(str(Rate.of(together[kind])) for kind in KINDS)} |\n")
    for other in KINDS[1:]:
        compared = compare_paired(together[other], together["chosen"])
        print(f"- {compared.told(other, 'chosen')}")
    close = sum(
        Rate.of(chosen).value >= Rate.of(last).value - MARGIN
        for chosen, last in zip(done["chosen"], done["last"], strict=True)
    )
    print(f"- The chosen one is no more than {100 * MARGIN:.0f} points below the last one in {close} of "
          f"{len(done['chosen'])} trainings.")  # fmt: skip


if __name__ == "__main__":
    main()
