"""What the audit says of recordings that other people made on real arms; the places were checked by hand."""

import json

import pytest

from regrasp.diagnosis.audit import audit

FOUND = {
    "record-test": {("scattered-starts", (0,), "elbow_flex")},
    "chethantu_pick_place": {
        ("scattered-starts", (0,), "elbow_flex"),
        ("unfollowed-joint", (0, 4, 11, 12, 15, 16), "wrist_flex"),
        ("unfollowed-joint", (5, 6), "wrist_roll"),
    },
    "techin517_so101_test": {
        ("unfollowed-joint", (0, 1, 2), "wrist_roll"),
        ("idle-gripper", (2,), "gripper"),
        ("scattered-starts", (0, 1, 2), "shoulder_lift"),
    },
    "saintyuqi_test_data": {("unfollowed-joint", (0,), "elbow_flex")},
    # A motor screwdriver that jumps by 195 as it should: nothing is said of joint 6.
    "jackvial_screwdriver_e5": {
        ("scattered-starts", (0,), "shoulder_lift"),
        ("unfollowed-joint", (0, 1), "shoulder_lift"),
    },
}


@pytest.mark.parametrize("name", FOUND)
def test_what_is_found_is_what_is_there(real_data, name):
    findings = audit(real_data / name).findings
    assert {(f.check, f.where.episodes, f.where.joint) for f in findings} == FOUND[name]


@pytest.mark.parametrize("name", FOUND)
def test_cameras_without_their_videos_are_undecided_and_said(real_data, name):
    undecided = dict(audit(real_data / name).result.undecided)
    assert {"frozen-camera", "swapped-cameras"} <= set(undecided)
    assert "no file videos/" in undecided["frozen-camera"] or "got 0" in undecided["frozen-camera"]


@pytest.mark.parametrize("name", FOUND)
def test_the_json_is_plain(real_data, name):
    text = json.dumps(audit(real_data / name).to_json(), allow_nan=False)
    assert set(json.loads(text)) == {
        "dataset",
        "episodes",
        "frames",
        "findings",
        "clean",
        "undecided",
        "seconds",
    }
