"""A contract: measured from data and checkpoint, kept beside the checkpoint."""

import json
from dataclasses import replace

import numpy as np
import pytest
from deployments import TASK, checkpoint, contract, dimmed, swapped_pictures, training
from hypothesis import given
from hypothesis import strategies as st

from regrasp.data.contract import Contract, read_contract, write_contract
from regrasp.data.contract_measuring import measure_contract
from regrasp.data.measures import gripper_threshold, likeness, otsu_threshold
from regrasp.errors import ContractError


@pytest.fixture(scope="module")
def data():
    return training()


def test_measures_what_the_policy_was_trained_to_expect(data):
    measured = contract(data)
    assert measured.instructions == {TASK: data.frames}
    assert measured.camera_names == ("front", "wrist")
    assert measured.joint_names == data.joint_names
    assert (measured.episodes, measured.frames, measured.fps) == (40, data.frames, 10.0)
    assert measured.epochs == pytest.approx(300 * 8 / data.frames)
    assert (measured.chunk_size, measured.n_action_steps) == (8, 4)
    assert not measured.blind


def test_start_and_steps_are_those_of_the_data(data):
    pan = contract(data).joints[0]
    starts = np.array([episode.states[0, 0] for episode in data.episodes])
    steps = np.concatenate([np.abs(np.diff(episode.actions[:, 0])) for episode in data.episodes])
    assert pan.start_mean == pytest.approx(starts.mean(), abs=1e-3)
    assert (pan.start_low, pan.start_high) == pytest.approx((starts.min(), starts.max()), abs=1e-3)
    assert pan.jump_max == pytest.approx(steps.max(), abs=1e-3)
    assert 0 < pan.jump_p99 <= pan.jump_max


def test_the_threshold_parts_open_from_closed(data):
    measured = contract(data)
    grip = np.concatenate([episode.states[:, 5] for episode in data.episodes])
    assert 12 < measured.gripper_closed_threshold < 60
    assert measured.gripper_closed_share == pytest.approx(
        np.mean(grip < measured.gripper_closed_threshold), abs=1e-3
    )


def test_a_gripper_that_never_moves_has_no_threshold(data):
    resting = [replace(e, states=e.states * [1, 1, 1, 1, 1, 0.1]) for e in data.episodes]
    assert gripper_threshold(replace(data, episodes=tuple(resting))) is None


@given(st.floats(-50, 50), st.floats(5, 100), st.integers(5, 200), st.integers(5, 200))
def test_otsu_parts_two_groups_wherever_they_lie(low, gap, few, many):
    noise = np.linspace(-0.2, 0.2, few) * gap, np.linspace(-0.2, 0.2, many) * gap
    values = np.concatenate([low + noise[0], low + gap + noise[1]])
    assert low + 0.2 * gap <= otsu_threshold(values) <= low + 0.8 * gap


def test_a_fingerprint_knows_its_camera_in_any_light(data):
    front, wrist = contract(data).cameras
    for factor in (0.45, 1.0):
        dark = contract(dimmed(data, factor))
        assert likeness(dark.camera("front").picture, front.picture) > 0.98
        assert likeness(dark.camera("front").picture, wrist.picture) < 0.5


def test_likeness_does_not_mind_brightness_contrast_and_tint():
    rng = np.random.default_rng(0)
    picture = rng.uniform(20, 200, size=(12, 16, 3))
    assert likeness(picture, 0.5 * picture * [1, 0.8, 0.6] + 20) == pytest.approx(1)
    assert likeness(picture, rng.uniform(20, 200, size=(12, 16, 3))) < 0.3
    assert likeness(picture, np.full_like(picture, 80.0)) == 0


def test_fingerprints_follow_the_pictures_not_the_names(data):
    swapped = contract(swapped_pictures(data))
    assert likeness(swapped.camera("front").picture, contract(data).camera("wrist").picture) > 0.99


def test_only_the_episodes_that_were_trained_on_are_measured(data):
    half = replace(checkpoint(), train_config={"dataset": {"episodes": list(range(20))}})
    measured = measure_contract(data, half)
    assert measured.episodes == 20
    assert measured.epochs == pytest.approx(300 * 8 / (data.frames / 2))


def test_frames_held_out_for_evaluation_are_not_counted_in_epochs(data):
    held = replace(checkpoint(), train_config={"dataset": {"eval_split": 0.2}})
    assert measure_contract(data, held).epochs == pytest.approx(300 * 8 / (0.8 * data.frames))


def test_a_policy_without_cameras_is_blind(data):
    features = {"observation.state": {"type": "STATE", "shape": [6]}}
    measured = contract(data, input_features=features)
    assert measured.blind
    assert measured.cameras == []


def test_data_of_another_robot_are_refused(data):
    narrow = replace(data, joint_names=data.joint_names[:5])
    with pytest.raises(ContractError) as error:
        measure_contract(narrow, checkpoint())
    assert str(error.value) == (
        "Found 5 joints in training and 6 in the policy at checkpoint; expected the data it was trained "
        "on; try the "
        "dataset named in its train_config.json."
    )


def test_data_without_the_policys_camera_are_refused(data):
    with pytest.raises(ContractError, match=r"Found no camera 'wrist' in training \(it has front\)"):
        measure_contract(replace(data, camera_names=("front",)), checkpoint())


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text('{"type": "keypoint"}')
    return tmp_path


def test_a_written_contract_reads_back_the_same(data, folder):
    measured = contract(data)
    path = write_contract(folder, measured)
    assert path == folder / "regrasp.json"
    assert read_contract(folder) == measured
    assert {file.name for file in folder.iterdir()} == {"config.json", "regrasp.json"}


def test_a_missing_contract_is_told_with_the_command_that_makes_it(folder):
    with pytest.raises(ContractError) as error:
        read_contract(folder)
    assert str(error.value) == (
        f"Found no contract at {folder / 'regrasp.json'}; expected one beside the checkpoint; try "
        "`regrasp contract "
        f"make {folder} --dataset DATASET`."
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "Invalid JSON"),
        ("{}", "policy_type: Field required"),
    ],
)
def test_a_broken_contract_is_told_in_one_sentence(folder, content, reason):
    (folder / "regrasp.json").write_text(content)
    with pytest.raises(ContractError) as error:
        read_contract(folder)
    assert reason in str(error.value)
    assert str(error.value).count("\n") == 0
    assert str(error.value).endswith(f"try `regrasp contract make {folder} --dataset DATASET`.")


def test_it_is_plain_json(data):
    again = Contract.model_validate_json(contract(data).model_dump_json())
    assert again == contract(data)


def test_the_file_is_read_by_a_person_and_what_the_cameras_show_is_small(data, folder):
    text = write_contract(folder, contract(data)).read_text()
    assert max(line.count("[") for line in text.splitlines()) == 1  # a list of numbers stands in one line
    cameras = json.dumps(json.loads(text)["cameras"])
    assert len(cameras) < 50_000


def test_data_that_command_fewer_joints_than_they_measure_have_a_contract(data):
    fewer = replace(
        data.map_episodes(lambda e: replace(e, actions=e.actions[:, :4])), action_names=data.joint_names[:4]
    )
    config = {"output_features": {"action": {"type": "ACTION", "shape": [4]}}}
    made = measure_contract(fewer, checkpoint(**config))
    assert [joint.action_high is None for joint in made.joints] == [False] * 4 + [True] * 2
    assert made.joints[0] == measure_contract(data, checkpoint()).joints[0]


@pytest.mark.parametrize("told", [{"episodes": 5}, {"eval_split": 1.0}, {"eval_split": "x"}])
def test_a_train_config_that_makes_no_sense_is_passed_over(data, told):
    odd = replace(checkpoint(), train_config={"dataset": told})
    assert measure_contract(data, odd).episodes == len(data.episodes)


def test_cameras_that_lerobot_adds_to_be_empty_are_none(data):
    known = checkpoint()
    empty = {"observation.images.empty_camera_0": {"type": "VISUAL", "shape": [3, 480, 640]}}
    config = {"input_features": {**known.config["input_features"], **empty}}
    assert measure_contract(data, checkpoint(**config)).camera_names == ("front", "wrist")
