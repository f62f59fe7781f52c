"""Causes that lie in training: proven by another policy in the place of the one that failed."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import LearnedPolicy, rollouts, trained_checkpoint, training, training_of

from regrasp import faults
from regrasp.data.rollouts import Deployment, Outcome, write_outcomes
from regrasp.diagnosis.address import Address
from regrasp.diagnosis.diagnose import judge
from regrasp.diagnosis.ranking import Status

DATA = training(30)
GOOD = LearnedPolicy(shown=DATA)
ADDRESS = Address("runs/last", "twin", "again", train="demos")
NAMES = {
    "too-few-epochs",
    "too-many-epochs",
    "uncovered-positions",
    "dataset-defect",
    "normalisation-mismatch",
}


def beside_the_data(found):
    """Causes but for what the audit makes of data that are arithmetic, and no recording."""
    return [cause for cause in found.causes if cause.name != "dataset-defect"]


def diagnosed(trained, deployed=None):
    deployed = deployed or rollouts(10, successes=1)
    return judge(trained.contract, trained.dataset, deployed, trained.policy, ADDRESS, trained)


@pytest.mark.parametrize("successes", [8, 10])
def test_healthy_rollouts_name_none(successes):
    found = diagnosed(training_of(DATA), rollouts(10, successes=successes))
    assert found.causes == ()
    assert {"too-few-epochs", "dataset-defect", "normalisation-mismatch"} <= set(found.ruled_out)


def test_a_failure_of_another_cause_names_none():
    assert diagnosed(training_of(DATA, held_out=(2, 9, 16, 23)), rollouts(10, successes=0)).verdict is None


def test_too_few_epochs_is_proven_by_a_later_checkpoint():
    brief = faults.too_few_epochs(training_of(DATA, others={400: GOOD}))
    found = diagnosed(brief)
    assert found.verdict == "too-few-epochs"
    assert found.remedy == "regrasp rollout run/checkpoints/400 --station twin --out again"


def test_too_few_epochs_without_a_later_checkpoint_is_suspected_and_trains_further():
    found = diagnosed(faults.too_few_epochs(training_of(DATA, others={100: GOOD})))
    assert found.verdict is None
    (cause,) = beside_the_data(found)
    assert (cause.name, cause.status) == ("too-few-epochs", Status.SUSPECTED)
    assert cause.fix.command.startswith("regrasp train demos --policy runs/last --epochs")


def test_too_many_epochs_is_proven_by_an_earlier_checkpoint():
    heart = faults.too_many_epochs(training_of(DATA, held_out=(2, 9, 16, 23), others={100: GOOD}))
    found = diagnosed(heart)
    assert found.verdict == "too-many-epochs"
    assert found.remedy == "regrasp rollout run/checkpoints/100 --station twin --out again"


def test_wrong_statistics_are_proven_by_the_rightful_ones_and_explain_the_rest():
    trained = training_of(DATA)
    other = faults.normalisation_mismatch(trained_checkpoint(DATA))
    asked = []

    def load(path, statistics=None):
        asked.append(statistics)
        return GOOD

    broken = replace(trained, checkpoint=other, policy=replace(GOOD, wrong_by=0.6), load=load)
    found = diagnosed(broken)
    assert found.verdict == "normalisation-mismatch"
    assert [cause.name for cause in beside_the_data(found)] == ["normalisation-mismatch"]
    assert np.allclose(asked[0]["action"]["mean"], DATA.actions.mean(axis=0))
    assert found.remedy == (
        "regrasp fix runs/last --train demos --into runs/last_restored && "
        "regrasp rollout runs/last_restored --station twin --out again"
    )


def test_uncovered_positions_are_proven_by_the_rollouts_inside(tmp_path):
    rng = np.random.default_rng(0)

    def noted(number):
        x, y = np.array([0.23, 0.0]) + rng.uniform(-0.025, 0.025, 2)
        return Outcome(number, True, initial={"object_x_m": float(x), "object_y_m": float(y)})

    write_outcomes(tmp_path, [noted(number) for number in range(30)], Deployment())
    trained = training_of(replace(DATA, path=tmp_path), policy=GOOD)
    given = rollouts(10)
    given = replace(given, outcomes=tuple(noted(number) for number in range(10)))
    found = diagnosed(trained, faults.uncovered_positions(given))
    assert found.verdict == "uncovered-positions"
    assert "success rises by 1.00" in found.causes[0].reason
    assert " && regrasp merge demos demos_more --into demos_wider --yes && " in found.remedy


def test_a_defect_of_the_data_is_suspected_with_the_training_that_would_tell():
    broken = faults.dataset_defect(training_of(DATA), defect=faults.nan_values)
    found = diagnosed(broken)
    assert found.verdict is None
    assert [cause.name for cause in found.causes if cause.status is Status.SUSPECTED] == ["dataset-defect"]
