"""How pictures are changed while a policy learns from them: which preset, for which camera, how strongly.

LeRobot 0.6.1 has eight transforms that leave the frames of videos as they are, and no choice by camera. These presets
change what the policy gets (tests in `tests/lerobot_bridge/test_augmenting.py` look at its batches), each camera by
itself. A camera on the arm keeps its geometry: where the gripper stands in its picture is what the policy measures by.
"""

import difflib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from regrasp.errors import UsageError

STRONGEST = 2.0
"""Strength 1 is meant to be used; twice that is as far as pictures stay recognisable."""


@dataclass(frozen=True)
class Preset:
    """One kind of change; a `geometric` one moves what is seen within the picture."""

    name: str
    summary: str
    geometric: bool = False


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("light", "brighter and darker rooms, more and less contrast, shadows and bright spots"),
        Preset(
            "colour", "lamps from warm to cold, paler and stronger colours; red stays red and blue stays blue"
        ),
        Preset("blur", "out of focus, or moving while the shutter is open"),
        Preset("noise", "the grain of a sensor, the blocks of compression"),
        Preset("shift", "moved by up to 4 % of the picture, edges repeated", geometric=True),
        Preset("crop", "up to 15 % of the area cut off, enlarged again", geometric=True),
        Preset("dropout", "now and then one camera is black, never all of them"),
    )
}

Augmentation = Mapping[str, Mapping[str, float]]
"""Camera's name -> preset -> strength. Empty: pictures stay as they were recorded."""


def parse_augmentation(
    text: str, cameras: Sequence[str], on_arm: Collection[str] = ()
) -> dict[str, dict[str, float]]:
    """Read presets such as `light,shift`, `light=0.5` or `front:blur,wrist:light`.

    Args:
        text: Presets separated by commas, each with an optional camera before and strength behind it.
        cameras: Names of the dataset's cameras. A preset without a camera is for all of them.
        on_arm: Those that ride on the arm; a geometric preset leaves them alone.

    Raises:
        UsageError: There is no such preset or camera, the strength makes no sense, or a camera on the arm would move.

    Example:
        >>> parse_augmentation("light,shift=0.5", ["front", "wrist"], on_arm=["wrist"])
        {'front': {'light': 1.0, 'shift': 0.5}, 'wrist': {'light': 1.0}}
    """
    if not cameras:
        raise UsageError(
            f"Found --augment {text} for a dataset without cameras; expected pictures to change."
        )
    chosen: dict[str, dict[str, float]] = {camera: {} for camera in cameras}
    for item in text.split(","):
        camera, preset, strength = _item(item.strip(), cameras)
        for name in [camera] if camera else _movable(preset, cameras, on_arm):
            _require_still(preset, name, on_arm)
            chosen[name][preset.name] = strength
    _require_others(chosen)
    return {camera: presets for camera, presets in chosen.items() if presets}


def described(augmentation: Augmentation) -> str:
    """In words, for a person.

    Example:
        >>> described({"front": {"light": 1.0, "shift": 0.5}, "wrist": {"light": 1.0}})
        'front: light, shift at 0.5; wrist: light'
    """
    return "; ".join(
        f"{camera}: "
        + ", ".join(
            name if strength == 1 else f"{name} at {strength:g}" for name, strength in presets.items()
        )
        for camera, presets in augmentation.items()
    )


def _item(text: str, cameras: Sequence[str]) -> tuple[str, Preset, float]:
    """Camera ("" for all), preset and strength of `camera:preset=strength`."""
    named, _, number = text.partition("=")
    camera, _, name = named.rpartition(":")
    if camera and camera not in cameras:
        raise UsageError(f"--augment names camera '{camera}'; the dataset has {', '.join(cameras)}.")
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise UsageError(f"--augment names '{name}'; expected some of {', '.join(PRESETS)}.{hint}")
    return camera, PRESETS[name], _strength(text, number if "=" in text else "1")


def _strength(text: str, number: str) -> float:
    try:
        strength = float(number)
    except ValueError:
        strength = math.nan
    if not 0 < strength <= STRONGEST:
        raise UsageError(
            f"--augment has the strength '{number}' in '{text}'; expected more than 0 and at most {STRONGEST:g}, 1 being "
            "usual."
        )
    return strength


def _movable(preset: Preset, cameras: Sequence[str], on_arm: Collection[str]) -> list[str]:
    """The cameras that a preset is for when none is named."""
    names = [camera for camera in cameras if not (preset.geometric and camera in on_arm)]
    if not names:
        raise UsageError(
            f"--augment {preset.name} moves pictures, and all cameras here ride on the arm ({', '.join(cameras)}), whose "
            "view is fixed to the gripper. Expected a camera that stands still; leave it out."
        )
    return names


def _require_still(preset: Preset, camera: str, on_arm: Collection[str]) -> None:
    if preset.geometric and camera in on_arm:
        raise UsageError(
            f"--augment {camera}:{preset.name} would move the picture of camera '{camera}', which rides on the arm: the "
            "policy measures by where the gripper is in it. Expected light, colour, blur or noise there."
        )


def _require_others(chosen: Augmentation) -> None:
    """A camera is dropped only while another one sees."""
    if len(chosen) == 1 and any("dropout" in presets for presets in chosen.values()):
        raise UsageError(
            f"--augment dropout needs a second camera, and the dataset has only '{next(iter(chosen))}': the policy would "
            "see nothing. Leave it out."
        )
