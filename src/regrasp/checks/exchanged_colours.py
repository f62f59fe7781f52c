"""A camera gives red for blue and blue for red.

## What it detects
A station's camera whose red and blue are exchanged compared with the training, now or in rollouts.

## Why it matters
Cameras are read as RGB or as BGR, and nothing in a picture says which. An orange arm becomes blue, a pink toy purple:
a policy that looks for colours finds nothing, one that looks for shapes grows unsure.

## How it decides
On the fingerprint's grid, what red has more than blue is compared with the contract, without its mean, which the
colour of the light changes. A correlation below `-min_contrary` says that what was red is blue now.

## What can fool it
A scene without colours cannot tell: where red and blue of the training's picture differ by less than
`FEWEST_GREY_LEVELS`, nothing is said.

## How to fix it
Set `color_mode` of the camera in the station file to that of the training, as a rule `rgb`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data.episode import grid_means
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where, count
from regrasp.diagnosis.first_looks import FEWEST_GREY_LEVELS, agreement_of_colours, looks_of
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.preflight import LiveView

if TYPE_CHECKING:
    from regrasp.data.contract import Contract


@check(severity=Severity.ERROR, explains=("changed-light",))
def exchanged_colours(
    contract: "Contract", live: LiveView, *, min_contrary: float = 0.5
) -> Iterator[Finding]:
    """Where each camera's picture is red and where blue, against the training."""
    known = [camera for camera in contract.cameras if camera.name in live.images and camera.fingerprint]
    if contract.cameras and not known:
        raise Undecided("needs a contract with fingerprints of the cameras")
    for camera in known:
        then = _red_over_blue(camera.picture)
        now = _red_over_blue(grid_means(live.images[camera.name], (camera.rows, camera.columns)))
        if now.shape != then.shape or min(now.std(), then.std()) < FEWEST_GREY_LEVELS:
            continue
        agrees = float(np.corrcoef(then.ravel(), now.ravel())[0, 1])
        if agrees < -min_contrary:
            yield Finding(
                summary=f"Camera '{camera.name}' shows blue what was red in training, and red what was blue.",
                where=Where(camera=camera.name),
                evidence=(Evidence("red less blue agrees with the training by", agrees, -min_contrary),),
                fix=Fix(f"Set `color_mode: rgb` of camera '{camera.name}' in the station file."),
            )


@check(severity=Severity.ERROR, explains=("changed-light",))
def exchanged_colours_deployed(
    contract: "Contract", rollouts: Rollouts, *, min_contrary: float = 0.5
) -> Iterator[Finding]:
    """Where each camera's first picture of each rollout is red and where blue, against the training."""
    for camera, looks in looks_of(contract, rollouts.dataset):
        told = {number: agreement_of_colours(camera, look) for number, look in looks.items()}
        contrary = {number: one for number, one in told.items() if one is not None and one < -min_contrary}
        if contrary:
            yield Finding(
                summary=f"Camera '{camera.name}' showed blue what was red in training, and red what was blue, "
                f"in {len(contrary)} of {count(len(looks), 'rollout')}.",
                where=Where(tuple(contrary), camera=camera.name),
                evidence=(
                    Evidence(
                        "red less blue agrees with the training by", max(contrary.values()), -min_contrary
                    ),
                ),
                fix=Fix(f"Set `color_mode: rgb` of camera '{camera.name}' in the station file."),
            )


def _red_over_blue(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    return colours[..., 0] - colours[..., 2]
