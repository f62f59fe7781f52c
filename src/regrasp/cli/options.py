"""Options that several verbs have, said once."""

from typing import Annotated

import typer

Task = Annotated[str | None, typer.Option(help="The instruction; the contract's own when it has just one.")]
ActionSteps = Annotated[
    int | None, typer.Option(min=1, help="Actions executed before the policy looks again.")
]
Area = Annotated[str | None, typer.Option(help="Twin: where the object may lie, 2in or 6in.")]
TwinTask = Annotated[str | None, typer.Option(help="Twin: grab-brain or brain-to-bin.")]
Size = Annotated[
    int | None,
    typer.Option(min=16, max=1024, help="Twin: width and height of the pictures, in pixels; even."),
]
Starts = Annotated[str | None, typer.Option(help="Twin: home or scattered.")]
Cameras = Annotated[str | None, typer.Option(help="Plugs exchanged, as front=wrist,wrist=front.")]
Fault = Annotated[
    str | None,
    typer.Option(
        help="Twin: set up wrongly on purpose, such as swapped-cameras or 'late-inference:seconds=0.5'; several with ; "
        "between."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Twin: the same seed gives the same scenes.")]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Processes side by side; as many as there are cores.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def as_given(**options: object) -> dict[str, str]:
    """Options of a rollout as an `Address` repeats them, by name without dashes; those that were not given are left out.

    Example:
        >>> as_given(task=None, twin_task="grab-brain", no_home=True, handover=False, size=64)
        {'twin-task': 'grab-brain', 'no-home': 'no-home', 'size': '64'}
    """
    named = {name.replace("_", "-"): value for name, value in options.items() if value}
    return {name: name if value is True else str(value) for name, value in named.items()}
