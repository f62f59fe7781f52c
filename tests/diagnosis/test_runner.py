"""Checks are found by name, run on what is at hand, and end in one of three ways."""

from dataclasses import replace

import pytest

from regrasp import faults
from regrasp.data import Camera
from regrasp.data.video import MissingDecoder
from regrasp.diagnosis.runner import check_names, checks_reading, load_check, run_checks
from regrasp.errors import UsageError


def test_findings_come_worst_first(dataset):
    broken = faults.nan_values(faults.scattered_starts(dataset))
    severities = [finding.severity.value for finding in run_checks({"dataset": broken}).findings]
    assert severities == sorted(severities)  # error before warning
    assert set(severities) == {"error", "warning"}


def test_only_the_named_checks_run(dataset):
    result = run_checks({"dataset": dataset}, only=["nan-values", "idle-gripper", "nan-values"])
    assert result.clean == ("nan-values", "idle-gripper")


def test_a_check_of_what_is_not_at_hand_is_undecided(dataset):
    result = run_checks({"dataset": dataset}, only=["start-pose-shift"])
    assert [name for name, _ in result.undecided] == ["start-pose-shift"]


def test_an_unknown_name_is_met_with_the_nearest(dataset):
    with pytest.raises(UsageError) as raised:
        run_checks({"dataset": dataset}, only=["frozen-camer"])
    assert str(raised.value) == "No check named 'frozen-camer'. Did you mean 'frozen-camera'?"
    with pytest.raises(UsageError) as raised:
        load_check("xyz")
    assert str(raised.value) == "No check named 'xyz'. Try 'regrasp checks' for the list."


def test_a_dataset_alone_decides_part_of_the_catalogue():
    assert {"nan-values", "swapped-cameras"} <= set(checks_reading({"dataset"})) < set(check_names())


def test_a_decoder_that_is_missing_is_our_problem_and_leaves_tables_judged(dataset):
    class NoDecoder:
        def rgb(self, indices):
            raise MissingDecoder("Found a codec that this computer cannot decode (the dataset may be sound).")

        def grey(self):
            return self.rgb(None)

    def blind(camera: Camera):
        return replace(camera, source=NoDecoder())

    unseen = dataset.map_episodes(
        lambda e: replace(e, cameras={name: blind(camera) for name, camera in e.cameras.items()})
    )
    result = run_checks({"dataset": unseen})
    assert result.findings == ()
    assert "nan-values" in result.clean
    assert {reason for _, reason in result.undecided} == {
        "Found a codec that this computer cannot decode (the dataset may be sound)."
    }
