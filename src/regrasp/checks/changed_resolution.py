"""A camera's pictures have another size than in training.

## What it detects
A station's camera whose pictures have another height or width than those of the training data.

## Why it matters
Another shape shows another part of the scene, or the same part squeezed: things lie elsewhere in the picture than
the policy learned. LeRobot 0.6.1 does not compare sizes. Another size of the same shape is resized by policies that
do so, and fails or looks coarser in others.

## How it decides
Height and width are compared with the contract. Another shape (height over width differs by more than `max_squeeze`) is
an error, another size alone a warning.

## What can fool it
A policy whose preprocessing crops and resizes all pictures to one size does not mind a size of the same shape.

## How to fix it
Set `width` and `height` of the camera in the station file to those of the training.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.preflight import LiveView

if TYPE_CHECKING:
    from regrasp.data.contract import Contract


@check(severity=Severity.ERROR)
def changed_resolution(
    contract: "Contract", live: LiveView, *, max_squeeze: float = 0.02
) -> Iterator[Finding]:
    """The size of each camera's picture, against that of the training."""
    sizes = {name: (picture.shape[0], picture.shape[1]) for name, picture in live.images.items()}
    yield from _changed(contract, sizes, max_squeeze)


@check(severity=Severity.ERROR)
def changed_resolution_deployed(
    contract: "Contract", rollouts: Rollouts, *, max_squeeze: float = 0.02
) -> Iterator[Finding]:
    """The size of each camera's picture in the rollouts, against that of the training."""
    if not rollouts.episodes:
        raise Undecided("needs at least one rollout")
    cameras = rollouts.episodes[0].cameras
    sizes = {name: (camera.height, camera.width) for name, camera in cameras.items()}
    yield from _changed(contract, sizes, max_squeeze)


def _changed(
    contract: "Contract", sizes: Mapping[str, tuple[int, int]], max_squeeze: float
) -> Iterator[Finding]:
    known = [camera for camera in contract.cameras if camera.height and camera.width]
    if contract.cameras and not known:
        raise Undecided("the contract does not say how large the pictures of the training were")
    for camera in known:
        if camera.name not in sizes:
            continue
        height, width = sizes[camera.name]
        if (height, width) == (camera.height, camera.width):
            continue
        squeeze = abs(height / width * camera.width / camera.height - 1)
        yield Finding(
            summary=f"Camera '{camera.name}' gives pictures of {width} x {height} pixels; in training they had "
            f"{camera.width} x {camera.height}.",
            where=Where(camera=camera.name),
            evidence=(
                Evidence("width", width, camera.width, "px"),
                Evidence("height", height, camera.height, "px"),
            ),
            fix=Fix(
                f"Set `width: {camera.width}` and `height: {camera.height}` of camera '{camera.name}' in the "
                "station file."
            ),
            severity=Severity.ERROR if squeeze > max_squeeze else Severity.WARNING,
        )
