"""Whatever a check offers to put right is right afterwards, on disk and in LeRobot."""

import inspect

import pytest
from dataset_folder import write_v3
from sound_dataset import sound_dataset
from test_editing import loads_alike

from regrasp import faults
from regrasp.data import read_dataset
from regrasp.diagnosis.repair_plan import plan_repairs
from regrasp.lerobot_bridge.editing import carry_out

SOUND = sound_dataset(episodes=6, seconds=5.0, height=24, width=32)


def faults_of_datasets():
    return [
        name
        for name in faults.__all__
        if next(iter(inspect.signature(getattr(faults, name)).parameters), "") == "dataset"
    ]


@pytest.mark.parametrize("fault", faults_of_datasets())
def test_what_a_check_offers_to_put_right_is_right_afterwards(fault, tmp_path):
    broken = getattr(faults, fault)(SOUND)
    if any(name not in episode.cameras for episode in broken.episodes for name in SOUND.camera_names):
        pytest.skip("a lost video cannot be put right")
    check = fault.replace("_", "-")
    plan = plan_repairs(read_dataset(write_v3(broken, tmp_path / "broken", codec="libx264")), [check])
    if not plan.steps:
        pytest.skip("needs a person")
    fixed = carry_out(plan, tmp_path / "new", names=[check])
    assert [finding.summary for finding in fixed.after.findings] == []
    assert loads_alike(fixed.after.dataset)
