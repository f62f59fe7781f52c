"""What LeRobot's VQ-BeT needs to be told: how long it learns its code book, and the one camera that it looks through."""

import math
from typing import Any

from regrasp.data.dataset import Dataset
from regrasp.data.metadata import STATE

CODE_BOOK, CODE_BOOK_SHARE = 20_000, 0.2
"""Steps in which LeRobot's VQ-BeT learns a code book of actions, before the policy learns anything at all, and the most
of a run that they may take: LeRobot's presets are 20,000 of 100,000 steps."""


def code_book_steps(steps: int) -> int:
    """Steps for the code book in a training of `steps`.

    Example:
        >>> code_book_steps(100_000), code_book_steps(1001)
        (20000, 201)
    """
    return min(CODE_BOOK, math.ceil(steps * CODE_BOOK_SHARE))


def one_camera(data: Dataset, camera: str) -> dict[str, dict[str, Any]]:
    """What LeRobot calls `input_features`: the joints and this camera."""
    shown = data.episodes[0].cameras[camera]
    return {
        STATE: {"type": "STATE", "shape": [len(data.joint_names)]},
        shown.key: {"type": "VISUAL", "shape": [3, shown.height, shown.width]},
    }
