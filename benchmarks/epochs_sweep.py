"""How many epochs, and does the training say when they were too many? `./run python benchmarks/epochs_sweep.py`.

Trains the small policy on few demonstrations for 2 to 150 epochs, each with its own schedule, and scores the last
checkpoint on the same fresh starts. Prints a Markdown table: success k/n with its Wilson interval beside held-out error
and what `regrasp train` says of the curves. Finished parts are noted in `--out`; the same command goes on.
"""

import argparse
from pathlib import Path
from typing import Any

from regrasp.lerobot_bridge.quiet import prepare_environment

prepare_environment()

from notes import Notes, trained  # noqa: E402 - torch reads the environment as it is imported

from regrasp.data.journal import read_journal  # noqa: E402
from regrasp.data.selection import checkpoints_of  # noqa: E402
from regrasp.data.station import twin  # noqa: E402
from regrasp.diagnosis.judgement import judge  # noqa: E402
from regrasp.lerobot_bridge.recording import record  # noqa: E402
from regrasp.lerobot_bridge.scoring import score  # noqa: E402
from regrasp.stats import Rate  # noqa: E402
from regrasp.training.selection import held_out_errors  # noqa: E402

INSTRUCTION = "Grab the brain"
EPOCHS = (2.0, 6.0, 16.0, 50.0, 150.0)


def curves(run: Path) -> dict[str, Any]:
    """What the training says of itself."""
    journal = read_journal(run)
    if journal is None:
        raise SystemExit(f"{run} has no training.json")
    errors = held_out_errors(journal)
    verdict = judge(journal)
    best = min(errors, key=lambda step: errors[step]) if errors else None
    per_step = {one.step: one.epoch for one in journal.evaluations}
    return {
        "steps": journal.total_steps,
        "loss": journal.losses[-1][1] if journal.losses else None,
        "error": errors[max(errors)] if errors else None,
        "least": best and [errors[best], per_step[best]],
        "verdict": verdict.kind,
        "warned": bool(journal.plan.get("warnings")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--area", default="2in", choices=["2in", "6in"])
    parser.add_argument("--demonstrations", type=int, default=30)
    parser.add_argument("--dataset", type=Path, help="demonstrations that are there already")
    parser.add_argument("--epochs", type=float, nargs="+", default=EPOCHS)
    parser.add_argument("--fresh", type=int, default=100, help="starts that judge")
    parser.add_argument("--seed", type=int, default=7, help="of the starts that judge")
    parser.add_argument("--train-seed", type=int, default=1000)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("outputs/epochs_sweep"))
    given = parser.parse_args()
    station = twin(area=given.area, size=given.size)
    dataset = given.dataset or given.out / "demonstrations"
    if not dataset.exists():
        record(station, dataset, episodes=given.demonstrations, workers=given.workers)
    notes = Notes(given.out / "notes.json")
    print("| epochs | steps | success | training loss | held-out error | its least | the plan warned | the curves say |\n"
          f"|{' --- |' * 8}", flush=True)  # fmt: skip
    for epochs in given.epochs:
        run = trained(dataset, given.out / f"epochs-{epochs:g}-seed-{given.train_seed}", epochs=epochs,
                      seed=given.train_seed, options=[f"--policy.image_size={given.size}"])  # fmt: skip
        told = curves(run)
        step = max(checkpoints_of(run))
        found = notes.once(
            f"{run.name} step {step} on {given.fresh} of {given.seed}",
            lambda run=run, step=step: [
                bool(one.success)
                for one in score(checkpoints_of(run)[step], station, task=INSTRUCTION, starts=range(given.fresh),
                                 seed=given.seed, workers=given.workers, ray=given.ray)
            ],
        )  # fmt: skip
        least = "" if told["least"] is None else f"{told['least'][0]:.3g} at epoch {told['least'][1]:.1f}"
        print(f"| {epochs:g} | {told['steps']} | {Rate.of(found)} | {_number(told['loss'])} | {_number(told['error'])} "
              f"| {least} | {'yes' if told['warned'] else 'no'} | {told['verdict']} |", flush=True)  # fmt: skip


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    main()
