"""Options that several verbs have, said once."""

from typing import Annotated

import typer

Task = Annotated[str | None, typer.Option(help="The instruction; the contract's own when it has just one.")]
ActionSteps = Annotated[int | None, typer.Option(help="Actions executed before the policy looks again.")]
Area = Annotated[str | None, typer.Option(help="Twin: where the object may lie, 2in or 6in.")]
TwinTask = Annotated[str | None, typer.Option(help="Twin: grab-brain or brain-to-bin.")]
Size = Annotated[int | None, typer.Option(help="Twin: width and height of the pictures, in pixels.")]
Starts = Annotated[str | None, typer.Option(help="Twin: home or scattered.")]
Cameras = Annotated[str | None, typer.Option(help="Plugs exchanged, as front=wrist,wrist=front.")]
Fault = Annotated[
    str | None,
    typer.Option(
        help="Twin: set up wrongly on purpose, such as swapped-cameras or 'late-inference:seconds=0.5'; several with ; "
        "between."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
