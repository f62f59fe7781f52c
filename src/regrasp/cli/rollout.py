"""`regrasp rollout`."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    checkpoint: Annotated[Path, typer.Argument(help="Run folder, checkpoint, or pretrained_model folder.")],
    out: Annotated[Path, typer.Option(help="New folder for the rollouts.")],
    station: Annotated[str, typer.Option(help="'twin', or a station.yaml.")] = "twin",
    task: Annotated[
        str | None, typer.Option(help="The instruction; the contract's own when it has just one.")
    ] = None,
    episodes: Annotated[int, typer.Option(help="How many.")] = 20,
    allow: Annotated[
        list[str] | None, typer.Option(help="Go in spite of this check; may be repeated.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="Longest time of an episode.")] = None,
    n_action_steps: Annotated[
        int | None, typer.Option(help="Actions executed before the policy looks again.")
    ] = None,
    area: Annotated[str | None, typer.Option(help="Twin: where the object may lie, 2in or 6in.")] = None,
    twin_task: Annotated[str | None, typer.Option(help="Twin: grab-brain or brain-to-bin.")] = None,
    size: Annotated[
        int | None, typer.Option(help="Twin: width and height of the pictures, in pixels.")
    ] = None,
    starts: Annotated[str | None, typer.Option(help="Twin: home or scattered.")] = None,
    cameras: Annotated[str | None, typer.Option(help="Plugs exchanged, as front=wrist,wrist=front.")] = None,
    seed: Annotated[int, typer.Option(help="Twin: the same seed gives the same starts.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Twin: processes that run side by side.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Run a policy: preflight, then episodes, recorded and scored."""
    import math
    import os
    import sys

    from regrasp.cli.instruction import the_instruction
    from regrasp.cli.progress import progress
    from regrasp.cli.twin_options import station_with
    from regrasp.data.checkpoint import read_checkpoint
    from regrasp.errors import UsageError
    from regrasp.stats import Rate

    chosen = station_with(station, area=area, task=twin_task, size=size, starts=starts, cameras=cameras)
    given = {
        "area": area,
        "twin-task": twin_task,
        "size": size,
        "starts": starts,
        "cameras": cameras,
        "seed": seed,
    }
    named = {name: str(value) for name, value in given.items() if value}
    found = read_checkpoint(checkpoint)
    if out.exists():
        raise UsageError(
            f"{out} exists already; expected a new folder. Choose another --out or delete it first."
        )
    instruction = the_instruction(found.contract, task or chosen.task)
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.lerobot_bridge.rollout import look, rollout

    if found.contract is None:
        print("preflight: no contract beside this checkpoint, so nothing was checked; "
              f"`regrasp contract make {checkpoint} --dataset D` measures one", file=sys.stderr)  # fmt: skip
        overrides: tuple[str, ...] = ("no-contract",)
    else:
        from regrasp.diagnosis.preflight import preflight
        from regrasp.diagnosis.ranking import Address

        address = Address(str(checkpoint), station, str(out), named)
        judged = preflight(
            found.contract, look(chosen, instruction, seed=seed), allow=allow or (), address=address
        )
        print(judged, file=sys.stderr)
        if not judged.go:
            if json:
                import json as writer

                print(writer.dumps({"out": None, "episodes": 0, "preflight": judged.to_json()}))
            raise typer.Exit(1)
        overrides = judged.allowed
    done = succeeded = 0
    with progress("rolling out") as advance:

        def tell(message: dict[str, object]) -> None:
            nonlocal done, succeeded
            done, succeeded = done + 1, succeeded + bool(message["success"])
            advance(done, episodes, f"{succeeded}/{done} succeeded" if message["success"] is not None else "")

        result = rollout(
            checkpoint,
            chosen,
            task=instruction,
            episodes=episodes,
            out=out,
            seed=seed,
            seconds=seconds,
            n_action_steps=n_action_steps,
            overrides=overrides,
            called=station,
            options=named,
            workers=workers or os.cpu_count() or 1,
            tell=tell,
        )
    scored = [outcome.success for outcome in result.outcomes]
    rate = Rate.of(scored)
    if json:
        import json as writer

        loop = {"hz": result.hz, "p99_ms": result.p99_ms, "late_ticks": result.late_ticks}
        print(
            writer.dumps(
                {
                    "out": str(out),
                    "episodes": len(scored),
                    "successes": rate.k if rate.n else None,
                    "wilson95": list(rate.wilson95) if rate.n else None,
                    "interventions": [{"kind": "gate", "count": result.interventions}],
                    "loop": {name: None if math.isnan(value) else value for name, value in loop.items()},
                    "overrides": list(overrides),
                }
            )
        )
        return
    print(
        f"success {rate}"
        if rate.n
        else f"{len(scored)} episodes, not scored; `regrasp label {out}` sets outcomes"
    )
    print(
        f"{result.interventions} commands were changed by the safety gate; a query took {result.p99_ms:.1f} ms (p99)"
    )
    print(f"rollouts in {out}")
