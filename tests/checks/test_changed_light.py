"""Some episodes were recorded in other light."""

import numpy as np
import pytest
from deployments import contract, rollouts
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.changed_light import changed_light, changed_light_deployed
from regrasp.diagnosis import Severity, Undecided
from regrasp.diagnosis.runner import run_checks


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"brightness": 0.4}, "darker"),
        ({"brightness": 1, "warmth": 2.0}, "redder"),
        ({"brightness": 1, "warmth": 0.5}, "bluer"),
        ({"brightness": 1, "contrast": 0.4}, "of less contrast"),
    ],
)
def test_episodes_are_named_for_both_cameras_with_what_changed(dataset, change, words):
    (finding,) = changed_light(faults.changed_light(dataset, episodes=(2, 5), **change))
    assert finding.where.episodes == (2, 5)
    assert finding.summary == f"Cameras 'front' and 'wrist' see 2 episodes in other light: {words}."
    assert finding.severity is Severity.WARNING


def test_the_number_is_the_factor(dataset):
    (finding,) = changed_light(faults.changed_light(dataset, cameras=["front"], brightness=0.6))
    assert finding.where.camera == "front"
    assert finding.evidence[0].value == pytest.approx(0.6, abs=0.02)
    assert finding.severity is Severity.INFO


def test_exactly_the_limit_is_fine(dataset):
    lit = faults.changed_light(dataset, cameras=["front"], brightness=0.6)
    ((_, factor),) = [(f, f.evidence[0].value) for f in changed_light(lit)]
    assert not list(changed_light(lit, max_brightness=1 / (factor - 0.005)))
    assert list(changed_light(lit, max_brightness=1 / (factor + 0.005)))


def test_daylight_that_fades_over_many_episodes_is_natural():
    fading = sound_dataset(4, 20, seconds=2.0)
    for number, brightness in enumerate(np.linspace(1.0, 0.5, 20)):
        fading = faults.changed_light(fading, episodes=(number,), brightness=brightness)
    assert not list(changed_light(fading))


@pytest.mark.parametrize("brightness", [0.8, 1.2])
def test_a_fifth_more_or_less_is_not_told(dataset, brightness):
    assert not list(changed_light(faults.changed_light(dataset, brightness=brightness)))


def test_an_arm_that_rests_elsewhere_is_no_other_light(dataset):
    assert not list(changed_light(faults.scattered_starts(dataset)))


def test_a_change_of_light_is_called_nothing_else(dataset):
    found = run_checks({"dataset": faults.changed_light(dataset, brightness=0.35, warmth=1.5)}).findings
    assert {finding.check for finding in found} == {"changed-light"}


def test_two_episodes_leave_it_undecided():
    with pytest.raises(Undecided, match=r"^needs 3 episodes to tell which of them are odd$"):
        list(changed_light(sound_dataset(0, 2)))


def test_rollouts_in_other_light_are_named_with_the_camera():
    deployed = faults.changed_light(rollouts(6), cameras=["wrist"], episodes=(1, 4))
    (finding,) = changed_light_deployed(contract(), deployed)
    assert str(finding.where) == "episodes 1 and 4, camera 'wrist'"
    assert finding.summary == "The light was another than in training in 2 of 6 rollouts: darker."
    assert finding.severity is Severity.WARNING


def test_two_cameras_in_the_same_rollouts_are_one_finding():
    (finding,) = changed_light_deployed(contract(), faults.changed_light(rollouts(6)))
    assert (finding.where.episodes, finding.where.camera) == (tuple(range(6)), None)


@pytest.mark.parametrize(("brightness", "named"), [(1.2, False), (0.85, False), (1.45, True), (0.7, True)])
def test_light_of_rollouts_counts_beyond_a_factor(brightness, named):
    deployed = faults.changed_light(rollouts(6), brightness=brightness)
    assert bool(list(changed_light_deployed(contract(), deployed, max_contrast=9))) is named


def test_brighter_and_darker_rollouts_are_two_findings():
    bright = faults.changed_light(rollouts(8), episodes=range(4), brightness=1.6)
    found = list(
        changed_light_deployed(contract(), faults.changed_light(bright, episodes=range(4, 8), brightness=0.5))
    )
    assert {one.where.episodes for one in found} == {(0, 1, 2, 3), (4, 5, 6, 7)}
    assert all(one.evidence[0].value > one.evidence[0].limit or one.evidence[0].value < 1 for one in found)
