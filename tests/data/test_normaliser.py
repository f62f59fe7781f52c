"""A checkpoint's statistics on disk, spoilt and put right again."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import training

from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.contract import write_contract
from regrasp.data.contract_measuring import measure_contract
from regrasp.data.normaliser import plan_restoring, restore
from regrasp.data.statistics import pooled_statistics
from regrasp.errors import CheckpointError
from regrasp.faults.normalisation_mismatch import mis_normalised

DATA = training(8)


@pytest.fixture
def policy(tmp_path):
    """A checkpoint on disk with the statistics of its data, as float32, and a contract."""
    library = pytest.importorskip("safetensors.numpy")
    folder = tmp_path / "run" / "pretrained_model"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"type": "act"}')
    columns = {"observation.state": DATA.states, "action": DATA.actions}
    arrays = {
        f"{feature}.{name}": np.asarray(numbers, dtype=np.float32)
        for feature, values in columns.items()
        for name, numbers in pooled_statistics(values).items()
    }
    library.save_file(arrays, folder / "policy_preprocessor_step_4_normalizer_processor.safetensors")
    library.save_file(arrays, folder / "policy_postprocessor_step_0_unnormalizer_processor.safetensors")
    write_contract(folder, measure_contract(replace(DATA, camera_names=()), read_checkpoint(folder)))
    return tmp_path / "run"


def digest(path):
    return read_checkpoint(path).normalisation_digest


def test_spoilt_statistics_are_restored_to_the_last_bit_from_the_contract(policy, tmp_path):
    spoilt = mis_normalised(policy, tmp_path / "spoilt", times=1.5)
    assert digest(spoilt) != digest(policy)
    plan = plan_restoring(spoilt, DATA)
    assert plan.named == "its contract"
    assert plan.changes
    assert digest(restore(plan, tmp_path / "restored")) == digest(policy)


def test_without_a_contract_they_are_those_of_the_data(policy, tmp_path):
    spoilt = mis_normalised(policy, tmp_path / "spoilt", times=0.4)
    (spoilt / "regrasp.json").unlink()
    restored = read_checkpoint(restore(plan_restoring(spoilt, DATA), tmp_path / "restored"))
    assert np.allclose(restored.normalizer["action"]["std"], DATA.actions.std(axis=0), rtol=1e-5)
    assert np.allclose(restored.unnormalizer["action"]["std"], DATA.actions.std(axis=0), rtol=1e-5)


def test_sound_statistics_need_nothing(policy):
    assert plan_restoring(policy, DATA).changes == ()


def test_a_checkpoint_without_statistics_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"type": "act"}')
    with pytest.raises(CheckpointError, match="Found no statistics in"):
        mis_normalised(tmp_path, tmp_path.with_name("copy"))
