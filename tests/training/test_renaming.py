"""What a policy that was trained elsewhere calls the cameras."""

import pytest

from regrasp.errors import UsageError
from regrasp.training.renaming import described, rename_map

OWN = ["observation.images.front", "observation.images.wrist"]
BASE = [f"observation.images.camera{number}" for number in (1, 2, 3)]


def test_cameras_take_the_policy_s_places_in_order():
    assert rename_map(OWN, BASE) == dict(zip(OWN, BASE, strict=False))


def test_a_station_says_which_is_which():
    names = rename_map(OWN, BASE, {"front": "camera3", "wrist": "camera1"})
    assert described(names) == "front is camera3, wrist is camera1"


def test_a_station_may_say_it_of_one_and_the_other_takes_the_next_place():
    assert described(rename_map(OWN, BASE, {"wrist": "camera1"})) == "front is camera2, wrist is camera1"


def test_an_earlier_training_s_names_are_keys():
    told = {OWN[0]: BASE[1], OWN[1]: BASE[0], "observation.images.top": BASE[2]}
    assert described(rename_map(OWN, BASE, told)) == "front is camera2, wrist is camera1"


@pytest.mark.parametrize("policy", [OWN, OWN[:1], [*OWN, "observation.images.top"], []])
def test_nothing_is_renamed_where_names_agree_or_nothing_is_known(policy):
    assert rename_map(OWN, policy) == {}


def test_a_shared_name_stays_and_is_named_too():
    names = rename_map(OWN, [BASE[0], OWN[0]])
    assert described(names) == "front is front, wrist is camera1"


def test_more_cameras_than_places_are_refused():
    with pytest.raises(UsageError) as raised:
        rename_map([*OWN, "observation.images.top"], BASE[:2])
    assert str(raised.value) == (
        "The dataset has the cameras front, wrist, top, and the policy knows camera1, camera2: there is no place for "
        "'top'. Expected no more cameras than the policy has; train on fewer of them."
    )


def test_a_name_that_the_policy_does_not_know_is_refused():
    with pytest.raises(UsageError) as raised:
        rename_map(OWN, BASE, {"front": "camera4"})
    assert str(raised.value) == (
        "The policy has no camera 'camera4'; it has camera1, camera2, camera3. Put the station's policy_names right."
    )
