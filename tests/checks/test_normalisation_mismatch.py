"""The policy normalises with other numbers than it was trained with."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import checkpoint, trained_checkpoint, training, training_of

from regrasp import faults
from regrasp.checks.normalisation_mismatch import normalisation_mismatch, normalisation_mismatch_trained
from regrasp.data.contract_measuring import measure_contract
from regrasp.diagnosis.check import Undecided
from regrasp.diagnosis.preflight import preflight

DATA = training(10)
SOUND = trained_checkpoint(DATA)
KNOWN = measure_contract(DATA, SOUND)


def with_statistic(feature, name, change, sides=("normalizer", "unnormalizer")):
    changed = {**SOUND.normalizer, feature: dict(SOUND.normalizer[feature])}
    changed[feature][name] = change(changed[feature][name])
    return replace(SOUND, **dict.fromkeys(sides, changed))


def test_changed_statistics_are_reported_with_the_joint():
    (finding,) = normalisation_mismatch(KNOWN, faults.normalisation_mismatch(SOUND))
    assert finding.summary.startswith(
        "The policy's statistics have changed since the contract was written: most the "
    )


def test_its_own_statistics_are_fine():
    assert not list(normalisation_mismatch(KNOWN, SOUND))


def test_the_smallest_change_of_one_number_is_named():
    nudged = with_statistic("action", "mean", lambda mean: mean + np.eye(6)[2] * 1e-3)
    (finding,) = normalisation_mismatch(KNOWN, nudged)
    assert "the 'mean' of action, joint 'elbow_flex'" in finding.summary


def test_statistics_of_other_data_are_told_though_the_contract_was_made_later():
    other = replace(faults.normalisation_mismatch(SOUND, times=3.0), hashes=SOUND.hashes)
    (finding,) = normalisation_mismatch(measure_contract(DATA, other), other)
    assert "its training data have" in finding.summary


def test_a_shift_of_exactly_the_limit_is_fine():
    known = KNOWN.model_copy(update={"normalisation_digest": ""})
    std = np.array([joint.state_std for joint in known.joints])
    limit = with_statistic("observation.state", "mean", lambda mean: mean + 0.5 * std)
    assert not list(normalisation_mismatch(known, limit, max_shift=0.51))
    assert len(list(normalisation_mismatch(known, limit, max_shift=0.49))) == 1


def test_another_way_out_than_in_is_told():
    (finding,) = normalisation_mismatch(
        KNOWN, with_statistic("action", "std", lambda std: 2 * std, ["unnormalizer"])
    )
    assert "between policy_preprocessor and policy_postprocessor" in finding.summary


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_told(bad):
    (finding,) = normalisation_mismatch(KNOWN, with_statistic("action", "std", lambda std: std * bad))
    assert "not finite" in finding.summary


def test_missing_statistics_are_told_when_the_policy_wants_them():
    (finding,) = normalisation_mismatch(KNOWN, replace(SOUND, normalizer={}, unnormalizer={}))
    assert "LeRobot would pass the raw numbers on" in finding.summary


def test_a_policy_that_wants_none_needs_none():
    modes = {"STATE": "IDENTITY", "ACTION": "IDENTITY"}
    plain = replace(
        SOUND, normalizer={}, unnormalizer={}, config={**SOUND.config, "normalization_mapping": modes}
    )
    assert not list(normalisation_mismatch(measure_contract(DATA, plain), plain))


def test_a_checkpoint_that_says_nothing_of_it_is_undecided():
    with pytest.raises(Undecided):
        list(normalisation_mismatch(KNOWN, checkpoint()))


def test_preflight_reads_the_checkpoint_where_it_is_given():
    from deployments import live

    judged = preflight(KNOWN, live(), checkpoint=faults.normalisation_mismatch(SOUND))
    assert not judged.go
    assert [finding.check for finding in judged.findings] == ["normalisation-mismatch"]
    assert preflight(KNOWN, live(), checkpoint=SOUND).go


def test_the_training_data_tell_a_command_that_is_normalised_by_other_numbers():
    trained = training_of(DATA)
    wide = with_statistic("action", "std", lambda std: np.where(np.arange(6) == 1, 1.3, 1.0) * std)
    (finding,) = normalisation_mismatch_trained(replace(trained, checkpoint=wide))
    assert "normalises action, joint 'shoulder_lift'" in finding.summary
    assert "regrasp fix CHECKPOINT --train TRAIN" in finding.fix.command
    assert not list(normalisation_mismatch_trained(trained))


def test_a_ratio_of_exactly_the_limit_is_fine_against_the_data():
    wide = with_statistic("action", "std", lambda std: 1.2 * std)
    trained = replace(training_of(DATA), checkpoint=wide)
    assert not list(normalisation_mismatch_trained(trained, max_ratio=1.2 + 1e-6))
    assert list(normalisation_mismatch_trained(trained, max_ratio=1.2 - 1e-6))
