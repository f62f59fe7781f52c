"""What would change with each number of a plan that can be given."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regrasp.training.plan import Plan


def knobs_of(plan: "Plan", latency_ms: float | None, *, looks: bool) -> tuple[tuple[str, str], ...]:
    """Each option with what it would change, in a sentence; `looks` says that the policy has cameras."""
    double = max(1, round(plan.epochs * plan.frames / (2 * plan.effective_batch)))
    knobs = [
        (
            f"--batch {2 * plan.batch}",
            f"{double} steps for the same {plan.epochs:.2f} epochs: each costs about twice the time and memory, and its "
            "gradient has 0.71 of the noise. The batch moves cost, not how often frames are seen",
        ),
        (
            f"--epochs {plan.epochs / 2:.3g}",
            f"{max(1, plan.steps // 2)} steps, half the time; each frame is seen half as often",
        ),
        _gpus(plan),
    ]
    if plan.n_action_steps is not None:
        rate = plan.fps / plan.n_action_steps
        knobs.append(
            (
                "n_action_steps",
                f"asks the policy {rate:.1f} times a second now; fewer steps react sooner and make more seams, and can "
                "be changed at deployment, up to chunk_size",
            )
        )
    if latency_ms is None:
        knobs.append(("--latency-ms 200", "chunks with room for a query that takes so long"))
    if looks:
        knobs.append(
            (
                "--augment light",
                "the light varies while training. On the simulated arm a policy that knew one lamp failed from all of "
                "30 starts with a tenth less light, and with this from none (docs/results.md)",
            )
        )
    return tuple(knobs)


def _gpus(plan: "Plan") -> tuple[str, str]:
    others = 2 if plan.gpus == 1 else 1
    steps = max(1, round(plan.steps * plan.gpus / others))
    return (
        f"--gpus {others}",
        f"{steps} steps for the same epochs, with the learning rate that goes with them",
    )
