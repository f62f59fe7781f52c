"""The policy's files are not those that the contract was made for."""

import json
from dataclasses import replace

import pytest
from deployments import contract, trained_checkpoint, training

from regrasp import faults
from regrasp.checks.changed_policy_files import changed_policy_files
from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.contract_measuring import measure_contract
from regrasp.diagnosis.check import Undecided

DATA = training(6)
CHECKPOINT = trained_checkpoint(DATA)
KNOWN = measure_contract(DATA, CHECKPOINT)


def test_changed_weights_are_reported_by_their_file():
    (finding,) = changed_policy_files(KNOWN, faults.changed_policy_files(CHECKPOINT))
    assert finding.summary == "Since the contract was written, model.safetensors has changed."


def test_the_same_files_are_fine():
    assert not list(changed_policy_files(KNOWN, CHECKPOINT))


def test_a_file_that_is_gone_and_one_that_was_added_are_told_apart():
    other = {"config.json": CHECKPOINT.file_hashes["config.json"], "adapter_model.safetensors": "c" * 64}
    (finding,) = changed_policy_files(KNOWN, replace(CHECKPOINT, hashes=other))
    assert "adapter_model.safetensors was added, model.safetensors is gone" in finding.summary


def test_one_byte_of_a_file_on_disk_is_enough(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"type": "keypoint"}))
    (tmp_path / "model.safetensors").write_bytes(bytes(1000))
    known = KNOWN.model_copy(update={"policy_files": dict(read_checkpoint(tmp_path).file_hashes)})
    assert not list(changed_policy_files(known, read_checkpoint(tmp_path)))
    (tmp_path / "model.safetensors").write_bytes(bytes(999) + b"\x01")
    assert len(list(changed_policy_files(known, read_checkpoint(tmp_path)))) == 1


def test_a_contract_of_an_older_version_is_undecided():
    with pytest.raises(Undecided):
        list(changed_policy_files(contract(DATA).model_copy(update={"policy_files": {}}), CHECKPOINT))
