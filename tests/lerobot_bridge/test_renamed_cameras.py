"""A policy that calls the cameras otherwise is trained further, and nobody types the names again."""

import json
import shutil

import numpy as np
import pytest
from tiny_smolvla import make_tiny_smolvla

from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.contract import read_contract
from regrasp.data.dataset import read_dataset
from regrasp.data.robot_fit import misfits
from regrasp.diagnosis.observations import ObservationBatch
from regrasp.errors import UsageError
from regrasp.lerobot_bridge.normalising import renamed_statistics
from regrasp.lerobot_bridge.policies import LoadedPolicy
from regrasp.lerobot_bridge.train_options import arguments_for
from regrasp.lerobot_bridge.training import train
from regrasp.training.plan import plan

FRONT, WRIST = "observation.images.front", "observation.images.wrist"
CAMERAS = [f"observation.images.camera{number}" for number in (1, 2, 3)]
NAMES = {FRONT: CAMERAS[0], WRIST: CAMERAS[1]}


@pytest.fixture(scope="module")
def base(demonstrations, tmp_path_factory):
    """SmolVLA as its base is: three cameras called camera1 to camera3, and no contract."""
    folder = tmp_path_factory.mktemp("base")
    options = make_tiny_smolvla(folder / "vlm")
    kept = [option for option in options if not option.startswith(("--policy.type", "--policy.push_to_hub"))]
    made = train(demonstrations, folder / "run", policy="smolvla", steps=1, batch=2, options=kept)
    model = shutil.copytree(made.checkpoint, folder / "pretrained_model")
    (model / "regrasp.json").unlink()
    config = json.loads((model / "config.json").read_text())
    picture = config["input_features"].pop(FRONT)
    del config["input_features"][WRIST]
    config["input_features"] |= dict.fromkeys(CAMERAS, picture)
    (model / "config.json").write_text(json.dumps(config))
    return model


@pytest.fixture(scope="module")
def further(base, demonstrations, tmp_path_factory):
    out = tmp_path_factory.mktemp("further") / "run"
    return train(demonstrations, out, policy=str(base), steps=1, batch=2, hold_out=[0])


def test_the_contract_has_the_station_s_cameras_and_what_the_policy_calls_them(further):
    contract = read_contract(further.checkpoint)
    assert contract.camera_names == ("front", "wrist")
    assert {camera.key: camera.policy_key for camera in contract.cameras} == NAMES
    assert read_checkpoint(further.checkpoint).camera_keys == (FRONT, WRIST)


def test_names_and_statistics_are_said(further):
    assert further.journal.notes == [
        "Cameras, as the policy calls them: front is camera1, wrist is camera2. The contract keeps it.",
        "Normalised with the checkpoint's statistics, as its weights were trained; --new-statistics takes those of this "
        "dataset.",
    ]


def test_its_statistics_stay(further, base):
    before, after = read_checkpoint(base).normalizer, read_checkpoint(further.checkpoint).normalizer
    for feature in ("observation.state", "action"):
        assert np.array_equal(before[feature]["mean"], after[feature]["mean"])


def test_it_is_asked_about_held_out_episodes(further):
    assert len(further.journal.evaluations) == 1


def test_it_fits_the_station_and_looks_through_its_cameras(further, station, demonstrations):
    assert misfits(read_contract(further.checkpoint), station) == ()
    policy = LoadedPolicy(further.checkpoint)
    assert policy.camera_keys == (FRONT, WRIST)
    episode = read_dataset(demonstrations).episodes[0]
    images = {camera.key: camera.frames([0, 40]) for camera in episode.cameras.values()}
    swapped = {FRONT: images[WRIST], WRIST: images[FRONT]}
    one, two = (
        policy.chunks(ObservationBatch(episode.states[[0, 40]], shown, ["Grab the brain"] * 2))
        for shown in (images, swapped)
    )
    assert np.isfinite(one).all()
    assert not np.array_equal(one, two)


def names_for(demonstrations, policy, **more):
    data = read_dataset(demonstrations)
    planned = plan(data, policy=str(policy), steps=1, hold_out=0)
    options = more.pop("options", [])
    arguments = arguments_for(data, planned, policy=str(policy), seed=0, options=options, **more)
    (found,) = [option for option in arguments if option.startswith("--rename_map=")]
    return json.loads(found.partition("=")[2])


def test_trained_further_again_it_keeps_its_names(further, demonstrations):
    assert names_for(demonstrations, further.checkpoint) == NAMES


def test_a_station_says_which_camera_is_which(base, demonstrations, station):
    told = station.model_copy(update={"policy_names": {"front": "camera3"}})
    assert names_for(demonstrations, base, station=told) == {FRONT: CAMERAS[2], WRIST: CAMERAS[0]}


def test_names_that_are_typed_win_and_are_completed(base, demonstrations):
    typed = f'--rename_map={{"{WRIST}": "{CAMERAS[0]}"}}'
    assert names_for(demonstrations, base, options=[typed]) == {FRONT: CAMERAS[1], WRIST: CAMERAS[0]}


def test_names_that_are_none_are_refused(base, demonstrations):
    with pytest.raises(UsageError, match="expected names such as"):
        names_for(demonstrations, base, options=["--rename_map=[1]"])


def test_a_camera_s_statistics_are_found_under_the_policy_s_name():
    mean = {"mean": np.ones(3)}
    found = renamed_statistics({FRONT: mean, "action": mean}, {FRONT: CAMERAS[0], WRIST: CAMERAS[1]})
    assert set(found) == {FRONT, "action", CAMERAS[0]}
    assert np.array_equal(found[CAMERAS[0]]["mean"], np.ones(3))
