"""What the audit says of recordings that other people made on real arms; the places were checked by hand."""

import json

import pytest

from regrasp.diagnosis.audit import audit
from regrasp.diagnosis.finding import Severity

FOUND = {
    "record-test": {
        ("idle-stretches", (2, 3), None),
        ("scattered-starts", (0,), "wrist_flex"),  # the leader apart
        ("scattered-starts", (0,), "elbow_flex"),
    },
    "chethantu_pick_place": {
        ("idle-stretches", (3, 18), None),
        ("scattered-starts", (3, 12), "wrist_flex"),  # the leader apart
        ("scattered-starts", (0,), "elbow_flex"),
        ("unfollowed-joint", (0, 4, 11, 12, 15, 16), "wrist_flex"),
        ("unfollowed-joint", (5, 6), "wrist_roll"),
        ("unspecific-instruction", tuple(range(20)), None),
    },
    "techin517_so101_test": {
        ("unfollowed-joint", (0, 1, 2), "wrist_roll"),
        ("idle-gripper", (2,), "gripper"),
        ("idle-stretches", (0,), None),
        ("idle-stretches", (2,), None),
        ("outlier-episodes", (0,), None),
        ("scattered-starts", (0,), "shoulder_pan"),  # the leader apart
        ("scattered-starts", (0, 1, 2), "shoulder_lift"),
    },
    "saintyuqi_test_data": {
        ("dropped-frames", (0,), None),  # at frame 145 the arm jumps by 7 degrees between two frames of rest
        ("scattered-starts", (0,), "wrist_roll"),  # the leader apart
        ("unfollowed-joint", (0,), "elbow_flex"),
    },
    # A motor screwdriver that jumps by 195 as it should: nothing is said of joint 6.
    "jackvial_screwdriver_e5": {
        ("scattered-starts", (0,), "shoulder_lift"),
        ("clipped-actions", (0, 1, 2, 3, 4), "shoulder_lift"),
        ("unfollowed-joint", (0, 1), "shoulder_lift"),
    },
}
"""Errors and warnings; what is merely worth knowing is in `WORTH_KNOWING`."""

WORTH_KNOWING = {
    "record-test": {"averaged-quantiles", "idle-stretches", "overflowed-image-statistics"},
    "chethantu_pick_place": {
        "averaged-quantiles",
        "idle-stretches",
        "overflowed-image-statistics",
        "timer-ended-episodes",
    },
    "techin517_so101_test": {"averaged-quantiles"},
    "saintyuqi_test_data": {"overflowed-image-statistics"},
    "jackvial_screwdriver_e5": {"unspecific-instruction"},  # a doubled verb
}


@pytest.fixture
def audited(real_data):
    return lambda name: audit(real_data / name, video=False)  # the videos are not part of these copies


@pytest.mark.parametrize("name", FOUND)
def test_what_is_found_is_what_is_there(audited, name):
    serious = [f for f in audited(name).findings if f.severity is not Severity.INFO]
    assert {(f.check, f.where.episodes, f.where.joint) for f in serious} == FOUND[name]


@pytest.mark.parametrize("name", FOUND)
def test_what_is_worth_knowing_is_said_as_that(audited, name):
    said = {f.check for f in audited(name).findings if f.severity is Severity.INFO}
    assert said == WORTH_KNOWING[name]


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
        "expected",
        "clean",
        "undecided",
        "keep",
        "seconds",
    }
