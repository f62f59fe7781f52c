"""The page of an audit: which episode has what, and the pictures or curves that show it."""

import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.diagnosis.audit import audit
from regrasp.report.audit_page import episode_strip, write_audit_page


@pytest.fixture(scope="module")
def audited():
    broken = faults.frozen_camera(faults.scattered_starts(sound_dataset(), episodes=[1]), episodes=[4])
    return audit(broken, only=["frozen-camera", "scattered-starts", "nan-values"])


def test_the_strip_marks_each_episode_by_its_severity(audited):
    (heatmap,) = episode_strip(audited).spec["data"]
    rows = dict(zip(heatmap["y"], heatmap["z"], strict=True))
    assert rows == {"frozen-camera": [0, 0, 0, 0, 3, 0], "scattered-starts": [0, 2, 0, 0, 0, 0]}


def test_sound_data_have_no_strip_and_a_good_verdict(tmp_path):
    sound = audit(sound_dataset(cameras=False), only=["nan-values"])
    assert episode_strip(sound) is None
    assert "Nothing was found that costs success" in write_audit_page(sound, tmp_path / "a.html").read_text()


def test_a_finding_of_a_camera_stands_beside_its_pictures_and_one_of_a_joint_beside_its_curves(
    audited, tmp_path
):
    page = write_audit_page(audited, tmp_path / "a.html").read_text()
    assert (
        page.count('" src="data:image/png') == 5
    )  # three moments of the frozen stretch, two of a sound episode
    assert "wrist, episode 4, frame 30" in page
    assert "measured, episode 1" in page
