"""Which pictures are changed while training, read from one line."""

import pytest

from regrasp.errors import UsageError
from regrasp.training.augmentation import PRESETS, described, parse_augmentation

CAMERAS = ["front", "wrist"]


def parsed(text):
    return parse_augmentation(text, CAMERAS, on_arm=["wrist"])


def test_a_preset_is_for_all_cameras():
    assert parsed("light, noise=0.5") == {
        "front": {"light": 1.0, "noise": 0.5},
        "wrist": {"light": 1.0, "noise": 0.5},
    }


def test_a_preset_can_be_for_one_camera():
    assert parsed("front:blur=2,light") == {"front": {"blur": 2.0, "light": 1.0}, "wrist": {"light": 1.0}}


@pytest.mark.parametrize("preset", [name for name, one in PRESETS.items() if one.geometric])
def test_what_moves_the_picture_leaves_the_camera_on_the_arm_alone(preset):
    assert parsed(preset) == {"front": {preset: 1.0}}


def test_the_same_preset_twice_counts_once_and_the_last_strength_holds():
    assert parsed("light,front:light=0.5") == {"front": {"light": 0.5}, "wrist": {"light": 1.0}}


def test_it_is_told_in_words():
    assert described(parsed("light,front:shift=0.5")) == "front: light, shift at 0.5; wrist: light"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "wrist:shift",
            "--augment wrist:shift would move the picture of camera 'wrist', which rides on the arm: the policy measures "
            "by where the gripper is in it. Expected light, colour, blur or noise there.",
        ),
        ("ligth", "--augment names 'ligth'; expected some of light, colour, blur, noise, shift, crop, dropout. Did you "
                  "mean 'light'?"),
        ("top:light", "--augment names camera 'top'; the dataset has front, wrist."),
        ("", "--augment names ''; expected some of light, colour, blur, noise, shift, crop, dropout."),
        *(
            (
                f"light={number}",
                f"--augment has the strength '{number}' in 'light={number}'; expected more than 0 and at most 2, 1 being "
                "usual.",
            )
            for number in ("0", "-1", "nan", "inf", "2.01", "much", "")
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said_in_one_sentence(text, said):
    with pytest.raises(UsageError) as raised:
        parsed(text)
    assert str(raised.value) == said


def test_strength_two_is_the_most():
    assert parsed("light=2")["front"] == {"light": 2.0}


def test_cameras_that_all_ride_on_the_arm_cannot_be_moved():
    with pytest.raises(UsageError, match="all cameras here ride on the arm"):
        parse_augmentation("shift", ["wrist"], on_arm=["wrist"])


def test_the_only_camera_is_not_dropped():
    with pytest.raises(UsageError, match="needs a second camera"):
        parse_augmentation("dropout", ["front"])


def test_a_dataset_without_cameras_has_nothing_to_change():
    with pytest.raises(UsageError, match="without cameras"):
        parse_augmentation("light", [])
