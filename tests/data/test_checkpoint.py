"""A LeRobot checkpoint folder, read without LeRobot."""

import json
from dataclasses import replace

import numpy as np
import pytest
from deployments import checkpoint, contract

from regrasp.data.checkpoint import pretrained_folder, read_checkpoint
from regrasp.data.robot_fit import misfits, require_joints
from regrasp.data.station import Station, twin
from regrasp.errors import CheckpointError


@pytest.fixture
def run(tmp_path):
    """A run of two checkpoints as LeRobot 0.6.1 leaves it: `last` points at the later."""
    for step in (100, 300):
        folder = tmp_path / "checkpoints" / f"{step:06d}"
        model = folder / "pretrained_model"
        model.mkdir(parents=True)
        config = {"type": "act", **checkpoint().config}
        (model / "config.json").write_text(json.dumps(config))
        (model / "train_config.json").write_text(json.dumps({"batch_size": 8, "dataset": {"episodes": None}}))
        write_safetensors(
            model / "policy_preprocessor_step_3_normalizer_processor.safetensors",
            {"observation.state.mean": np.arange(6, dtype=np.float32), "action.count": np.array([1200])},
        )
        (folder / "training_state").mkdir()
        state = {"step": step, "num_processes": 2, "batch_size": 8}
        (folder / "training_state" / "training_step.json").write_text(json.dumps(state))
    (tmp_path / "checkpoints" / "last").symlink_to("000300")
    return tmp_path


def write_safetensors(path, arrays):
    """The format by hand, so that the test does not lean on the reader's own idea of it."""
    header, numbers = {"__metadata__": {"format": "pt"}}, b""
    for name, values in arrays.items():
        kind = {"float32": "F32", "int64": "I64"}[str(values.dtype)]
        end = len(numbers) + values.nbytes
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [len(numbers), end]}
        numbers += values.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + numbers)


def test_reads_the_last_checkpoint_of_a_run(run):
    found = read_checkpoint(run)
    assert found.path == run / "checkpoints" / "last" / "pretrained_model"
    assert (found.policy_type, found.step, found.batch_size) == ("act", 300, 16)
    assert found.camera_keys == ("observation.images.front", "observation.images.wrist")
    assert (found.joint_count, found.chunk_size, found.n_action_steps) == (6, 8, 4)
    assert found.contract is None


@pytest.mark.parametrize("inside", ["checkpoints/000100", "checkpoints/000100/pretrained_model"])
def test_a_step_or_its_model_folder_will_do(run, inside):
    assert read_checkpoint(run / inside).step == 100


def test_reads_the_normaliser_without_running_anything(run):
    statistics = read_checkpoint(run).normalizer
    assert statistics["observation.state"]["mean"].tolist() == [0, 1, 2, 3, 4, 5]
    assert statistics["action"]["count"].tolist() == [1200]


def test_the_digest_tells_other_statistics_from_these(run):
    found = read_checkpoint(run)
    other = {"observation.state": {"mean": np.ones(6)}}
    assert found.normalisation_digest == read_checkpoint(run / "checkpoints/000100").normalisation_digest
    assert replace(found, normalizer=other).normalisation_digest != found.normalisation_digest
    assert replace(found, normalizer={}).normalisation_digest == ""


def test_agrees_with_the_library_of_the_format(tmp_path):
    numpy_format = pytest.importorskip("safetensors.numpy")
    arrays = {"action.mean": np.linspace(0, 1, 6, dtype=np.float32), "action.count": np.array([7])}
    path = tmp_path / "policy_preprocessor_step_3_normalizer_processor.safetensors"
    numpy_format.save_file(arrays, path)
    (tmp_path / "config.json").write_text('{"type": "act"}')
    read = read_checkpoint(tmp_path).normalizer["action"]
    assert np.array_equal(read["mean"], arrays["action.mean"])
    assert np.array_equal(read["count"], arrays["action.count"])


def test_no_checkpoint_is_told_in_one_sentence(tmp_path):
    with pytest.raises(CheckpointError) as error:
        pretrained_folder(tmp_path / "nowhere")
    assert str(error.value) == (
        f"Found no such folder in {tmp_path / 'nowhere'}; expected a LeRobot checkpoint (a run, "
        "checkpoints/<step> "
        "or pretrained_model); try the folder that `regrasp train --out` named."
    )


@pytest.mark.parametrize("content", ["{", "[]", '{"n_action_steps": 3}'])
def test_a_broken_config_is_told(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match="try"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff" * 20, b"\x02\x00\x00\x00\x00\x00\x00\x00[]"])
def test_a_broken_normaliser_is_told(run, content):
    path = (
        run
        / "checkpoints/000300/pretrained_model/policy_preprocessor_step_3_normalizer_processor.safetensors"
    )
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="Found no readable arrays in"):
        read_checkpoint(run)


def test_its_own_station_fits():
    assert misfits(checkpoint(), twin()) == misfits(contract(), twin()) == ()


def test_a_checkpoint_of_another_robot_is_recognised():
    features = {"action": {"type": "ACTION", "shape": [14]}}
    aloha = replace(checkpoint(), config=dict(checkpoint().config) | {"output_features": features})
    assert misfits(aloha, twin()) == ("The policy moves 14 joints, and robot 'so101_twin' has 6.",)
    with pytest.raises(CheckpointError) as error:
        require_joints(aloha, twin())
    assert str(error.value) == (
        "Found a checkpoint that does not fit station 'twin': The policy moves 14 joints, and robot "
        "'so101_twin' "
        "has 6. Expected one trained on this robot; try another checkpoint or another station."
    )


def test_a_station_without_the_policys_camera_is_recognised():
    one_eyed = Station(name="desk", robot={"type": "so101_follower", "cameras": {"front": {}}})
    assert misfits(checkpoint(), one_eyed) == (
        "The policy looks through camera 'wrist', and station 'desk' has front.",
    )


def test_joints_of_a_robot_that_nobody_knows_are_not_judged():
    unknown = Station(name="lab", robot={"type": "hexapod", "cameras": {"front": {}, "wrist": {}}})
    assert misfits(checkpoint(), unknown) == ()


def renaming(run, steps):
    """The run, its last preprocessor saved with these steps."""
    file = run / "checkpoints" / "last" / "pretrained_model" / "policy_preprocessor.json"
    file.write_text(json.dumps({"name": "policy_preprocessor", "steps": steps}))
    return run


def test_cameras_go_by_the_names_that_they_were_recorded_under(run):
    names = {"observation.images.cam0": "observation.images.wrist"}
    step = {"registry_name": "rename_observations_processor", "config": {"rename_map": names}}
    found = read_checkpoint(renaming(run, [step, {"registry_name": "to_batch_processor", "config": {}}]))
    assert found.camera_keys == ("observation.images.cam0",)  # nothing was ever given as `front`
    assert found.renamed == names
    seen = replace(found, normalizer={"observation.images.front": {}})
    assert seen.camera_keys == ("observation.images.front", "observation.images.cam0")


@pytest.mark.parametrize(
    "steps",
    [7, ["x"], [{"registry_name": "rename_observations_processor"}],
     [{"registry_name": "rename_observations_processor", "config": {"rename_map": [1]}}]],
)  # fmt: skip
def test_a_rename_map_that_is_none_is_told(run, steps):
    with pytest.raises(CheckpointError, match="that is not names for names; expected what LeRobot writes"):
        read_checkpoint(renaming(run, steps))
