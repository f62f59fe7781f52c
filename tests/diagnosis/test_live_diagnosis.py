"""Without rollouts the station is looked at; without a checkpoint two datasets are compared."""

import json
from dataclasses import replace

import numpy as np
import pytest
from deployments import NumpyPolicy, contract, live, rollouts, swapped_pictures, training

from regrasp import faults
from regrasp.data.contract import write_contract
from regrasp.diagnosis.address import Address
from regrasp.diagnosis.diagnose import contract_of_data, diagnose
from regrasp.diagnosis.live_diagnosis import judge_live, observed
from regrasp.diagnosis.ranking import Status
from regrasp.errors import UsageError

TRAIN = training()
KNOWN = contract(TRAIN)
ADDRESS = Address("runs/last", "twin", "NEW")


def judged(seen, policy=None):
    return judge_live(KNOWN, TRAIN, seen, policy or NumpyPolicy(), ADDRESS)


def test_a_sound_station_has_no_cause():
    found = judged(live())
    assert found.causes == ()
    assert found.symptoms == ()
    assert found.success.n == 0


def test_swapped_cameras_are_named_before_anything_moves():
    seen = live()
    found = judged(replace(seen, images={"front": seen.images["wrist"], "wrist": seen.images["front"]}))
    assert found.verdict == "swapped-cameras"
    assert found.remedy == (
        "regrasp rollout runs/last --station twin --cameras front=wrist,wrist=front --out NEW"
    )


def test_another_instruction_is_named_and_harmless_to_a_policy_that_does_not_read():
    told = faults.instruction_mismatch(live())
    assert judged(told).verdict == "instruction-mismatch"
    (cause,) = judged(told, NumpyPolicy(blind_to=frozenset({"instruction"}))).causes
    assert cause.status is Status.NO_EFFECT


def test_without_a_policy_a_difference_is_suspected():
    found = judge_live(KNOWN, TRAIN, faults.instruction_mismatch(live()), None, ADDRESS)
    assert [(cause.name, cause.status) for cause in found.causes] == [
        ("instruction-mismatch", Status.SUSPECTED)
    ]


def test_the_observation_has_the_trainings_order_and_size():
    seen = live()
    turned = replace(seen, joints=seen.joints[::-1].copy(), joint_names=seen.joint_names[::-1])
    larger = replace(
        turned, images={name: np.kron(p, np.ones((2, 2, 1), np.uint8)) for name, p in seen.images.items()}
    )
    batch = observed(KNOWN, larger)
    assert batch.states[0] == pytest.approx(seen.joints)
    for name, picture in seen.images.items():
        shown = batch.images[f"observation.images.{name}"][0].astype(int)
        assert shown.shape == picture.shape
        assert np.abs(shown - picture).mean() < 12


def test_two_datasets_that_are_alike_differ_in_nothing():
    found = diagnose(train=TRAIN, rollouts=rollouts(12))
    assert found.causes == ()
    assert found.symptoms == ()
    assert not found.probed


def test_two_datasets_are_compared_and_nothing_is_proven():
    other = faults.instruction_mismatch(rollouts(12, successes=0))
    found = diagnose(train=TRAIN, rollouts=replace(other, dataset=swapped_pictures(other.dataset)))
    assert found.verdict is None
    assert {"instruction-mismatch", "swapped-cameras"} <= {cause.name for cause in found.causes}
    assert {cause.status for cause in found.causes} == {Status.SUSPECTED}
    assert "unfamiliar-pictures" in {symptom.name for symptom in found.symptoms}


def test_the_contract_of_data_is_that_of_a_policy_with_all_its_cameras():
    measured = contract_of_data(TRAIN)
    assert measured.camera_names == KNOWN.camera_names
    assert measured.gripper_closed_threshold == KNOWN.gripper_closed_threshold
    assert measured.cameras[0].fingerprint == KNOWN.cameras[0].fingerprint


def test_nothing_to_compare_with_is_said(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"type": "keypoint"}))
    write_contract(tmp_path, KNOWN)
    for given in ({}, {"checkpoint_path": tmp_path}):
        with pytest.raises(UsageError) as error:
            diagnose(train=TRAIN, **given)
        assert str(error.value).startswith("There is nothing to compare the training with; expected rollouts")


def test_the_function_takes_a_live_view(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"type": "keypoint"}))
    write_contract(tmp_path, KNOWN)
    found = diagnose(tmp_path, train=TRAIN, live=faults.instruction_mismatch(live()), station="desk.yaml")
    assert "instruction-mismatch" in {cause.name for cause in found.causes}
    assert "--station desk.yaml" in (found.causes[0].fix.command or "")


def test_a_printed_command_repeats_what_the_station_was_looked_at_with(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"type": "keypoint"}))
    write_contract(tmp_path, KNOWN)
    told = {"task": "Pick it up", "starts": "scattered", "cameras": "front=wrist,wrist=front", "seed": "4"}
    seen = live()
    seen = replace(seen, images={"front": seen.images["wrist"], "wrist": seen.images["front"]})
    found = diagnose(tmp_path, train=TRAIN, live=seen, policy=NumpyPolicy(), station="twin", options=told)
    (cause,) = [one for one in found.causes if one.name == "swapped-cameras"]
    assert cause.fix.command == (
        f"regrasp rollout {tmp_path} --station twin --task 'Pick it up' --starts scattered --seed 4 --out NEW"
    )
