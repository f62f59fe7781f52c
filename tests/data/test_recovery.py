"""What is known of a checkpoint without a contract, and what stays undecided."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from dataset_folder import write_v3
from deployments import TASK, checkpoint, live, trained_checkpoint, training
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.data.checkpoint import Checkpoint
from regrasp.data.contract_measuring import measure_contract
from regrasp.data.dataset import read_dataset
from regrasp.data.recovery import known_contract, recover_contract, training_data
from regrasp.data.statistics import pooled_statistics
from regrasp.diagnosis.preflight import preflight

DATA = training(10)
SOUND = trained_checkpoint(DATA)
NEVER_KNOWN = {"instruction-mismatch", "rate-mismatch", "changed-joint-order", "start-pose-shift"}


def test_what_the_files_do_not_tell_is_undecided_and_never_passed():
    judged = preflight(recover_contract(SOUND), live(), checkpoint=SOUND)
    undecided = {name for name, _ in judged.undecided}
    assert NEVER_KNOWN | {"changed-policy-files", "normalisation-mismatch"} <= undecided
    assert not NEVER_KNOWN & set(judged.clean)
    assert judged.go


def test_no_reason_talks_of_numbers_that_are_none():
    judged = preflight(recover_contract(SOUND), live(), checkpoint=SOUND)
    assert not [reason for _, reason in judged.undecided if "nan" in reason]


def test_ranges_sizes_and_lengths_come_from_the_normaliser_and_the_configuration():
    counted = {**SOUND.normalizer, "episode_index": {"max": np.array([9.0])}}
    counted["action"] = {**counted["action"], "count": np.array([DATA.frames])}
    found = recover_contract(replace(SOUND, normalizer=counted))
    assert found.recovered
    assert [joint.low for joint in found.joints] == pytest.approx(DATA.states.min(axis=0))
    assert [(camera.name, camera.height, camera.width) for camera in found.cameras] == [
        ("front", 24, 32),
        ("wrist", 24, 32),
    ]
    assert (found.episodes, found.frames) == (10, DATA.frames)
    assert found.epochs == pytest.approx(300 * 8 / DATA.frames, abs=1e-3)
    assert math.isnan(found.fps)


@pytest.mark.parametrize("unit", ["rad", "counts"])
def test_units_far_off_are_found_from_the_statistics_alone(unit):
    judged = preflight(recover_contract(SOUND), faults.unit_mismatch(live(), unit=unit))
    found = {finding.check for finding in judged.findings}
    assert found <= {"unit-mismatch"}
    assert unit == "rad" or found == {"unit-mismatch"}


def test_an_infeasible_horizon_is_found_without_a_contract():
    judged = preflight(recover_contract(SOUND), faults.late_inference(live()), checkpoint=SOUND)
    assert [finding.check for finding in judged.findings] == ["late-inference"]


def test_a_contract_beside_the_checkpoint_wins(tmp_path):
    from regrasp.data.contract import write_contract

    (tmp_path / "config.json").write_text(json.dumps({"type": "keypoint"}))
    write_contract(tmp_path, measure_contract(DATA, SOUND))
    assert not known_contract(replace(SOUND, path=tmp_path)).recovered


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "owner" / "set"
    write_v3(sound_dataset(0, 3), folder, video=False)
    return folder


def named(folder, **names) -> Checkpoint:
    data = read_dataset(folder, video=False)
    statistics = {
        "observation.state": pooled_statistics(data.states),
        "action": pooled_statistics(data.actions),
    }
    features = {"observation.state": {"type": "STATE", "shape": [6]}}
    plain = checkpoint(input_features=features)
    return replace(plain, normalizer=statistics, train_config={"dataset": names})


def test_the_dataset_that_the_training_names_is_measured(folder):
    found = recover_contract(named(folder, root=str(folder), repo_id="owner/set"))
    assert not found.recovered
    assert found.joint_names == read_dataset(folder, video=False).joint_names


def test_it_is_found_in_lerobots_cache(folder, monkeypatch):
    monkeypatch.setenv("HF_LEROBOT_HOME", str(folder.parent.parent))
    assert training_data(named(folder, root=None, repo_id="owner/set")) is not None


def test_a_dataset_that_has_changed_since_is_not_taken_for_it(folder):
    one = named(folder, root=str(folder))
    statistics = {**one.normalizer, "action": {**one.normalizer["action"]}}
    statistics["action"]["mean"] = statistics["action"]["mean"] + 0.5 * statistics["action"]["std"]
    assert recover_contract(replace(one, normalizer=statistics)).recovered


@pytest.mark.parametrize(
    "names", [{}, {"root": 3}, {"root": "/nowhere"}, {"root": "a\0b"}, {"repo_id": "../../x"}]
)
def test_a_name_that_leads_nowhere_is_no_error(folder, names):
    assert training_data(named(folder, **names)) is None
    assert TASK not in recover_contract(named(folder, **names)).instructions
