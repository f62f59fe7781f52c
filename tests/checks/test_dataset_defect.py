"""The policy was trained on demonstrations with a defect that the audit finds."""

from dataclasses import replace

import pytest
from deployments import LearnedPolicy, rollouts, training_of
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.dataset_defect import dataset_defect

DATA = sound_dataset(episodes=9)
SOUND = training_of(DATA, policy=LearnedPolicy(shown=DATA))
FAILED = rollouts(10, successes=0)


@pytest.mark.parametrize("name", ["swapped-cameras", "nan-values", "inverted-gripper"])
def test_the_finding_names_the_audits_check_and_its_episodes(name):
    broken = faults.dataset_defect(SOUND, defect=getattr(faults, name.replace("-", "_")))
    found = list(dataset_defect(broken, FAILED))
    assert found
    assert {finding.check for finding in found} == {"dataset-defect"}
    assert f"calls {name}:" in found[0].summary
    assert found[0].where.episodes


def test_sound_demonstrations_are_fine():
    assert not list(dataset_defect(SOUND, FAILED))


def test_a_defect_in_episodes_that_were_not_learned_is_fine():
    broken = faults.dataset_defect(SOUND, defect=faults.nan_values)
    (finding, *_) = dataset_defect(broken, FAILED)
    rest = tuple(number for number in broken.learned if number not in finding.where.episodes)
    assert not list(dataset_defect(replace(broken, learned=rest), FAILED))


def test_rollouts_that_seldom_fail_are_fine():
    assert not list(dataset_defect(faults.dataset_defect(SOUND), rollouts(10, successes=9)))
