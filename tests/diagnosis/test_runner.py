"""Checks are found by name, run on what is at hand, and end in one of three ways."""

import sys
from dataclasses import replace

import pytest

from regrasp import faults
from regrasp.data import Camera
from regrasp.data.video import MissingDecoder
from regrasp.diagnosis import Finding, Fix, Severity, Where, check
from regrasp.diagnosis.check import registered
from regrasp.diagnosis.runner import check_names, checks_reading, load_check, run_checks
from regrasp.errors import UsageError


def test_findings_come_worst_first(dataset):
    broken = faults.nan_values(faults.scattered_starts(dataset))
    severities = [finding.severity.value for finding in run_checks({"dataset": broken}).findings]
    assert severities == sorted(severities)  # error before warning
    assert set(severities) == {"error", "warning"}


@pytest.fixture
def explained(monkeypatch):
    """Registers 'a-cause', which explains 'a-consequence', which explains 'a-third'; each finds what it is handed."""

    monkeypatch.setattr(sys.modules["regrasp.diagnosis.check"], "_registered", {})

    def finding(episodes):
        return Finding(summary="", where=Where(episodes), evidence=(), fix=Fix(""))

    def cause(causes):
        yield from map(finding, causes)

    def consequence(consequences):
        yield from map(finding, consequences)

    def third(thirds):
        yield from map(finding, thirds)

    cause.__module__, consequence.__module__, third.__module__ = "a_cause", "a_consequence", "a_third"
    check(severity=Severity.ERROR, explains=("a-consequence",))(cause)
    check(severity=Severity.ERROR, explains=("a-third",))(consequence)
    check(severity=Severity.ERROR)(third)
    names = ("a-cause", "a-consequence", "a-third")
    monkeypatch.setattr("regrasp.diagnosis.runner.known_checks", tuple)
    monkeypatch.setattr("regrasp.diagnosis.runner.load_check", registered)
    return lambda causes, consequences, thirds=(): [
        (found.check, found.where.episodes)
        for found in run_checks(
            {"causes": causes, "consequences": consequences, "thirds": thirds}, only=names
        ).findings
    ]


def test_a_consequence_is_not_reported_beside_its_cause(explained):
    assert explained([(1, 2)], [(1, 2), (2,)]) == [("a-cause", (1, 2))]
    assert explained([(1,), (2,)], [(1, 2)]) == [("a-cause", (1,)), ("a-cause", (2,))]


def test_what_the_cause_does_not_reach_is_reported(explained):
    assert ("a-consequence", (1, 3)) in explained([(1, 2)], [(1, 3)])
    assert ("a-consequence", ()) in explained([(1, 2)], [()])


def test_a_cause_in_the_whole_dataset_reaches_every_episode(explained):
    assert explained([()], [(5,), ()]) == [("a-cause", ())]


def test_a_check_judges_again_without_the_episodes_that_a_cause_explains(dataset):
    resting = faults.idle_stretches(dataset, episodes=[4], share=1.5)
    broken = faults.mixed_units(resting, episodes=[2])
    found = {f.check: f.where.episodes for f in run_checks({"dataset": broken}).findings}
    assert found == {"mixed-units": (2,), "idle-stretches": (4,)}


def test_what_is_explained_itself_explains_nothing(explained):
    assert explained([(1,)], [(1,)], [(1,)]) == [("a-cause", (1,)), ("a-third", (1,))]
    assert explained([], [(1,)], [(1,)]) == [("a-consequence", (1,))]


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
        def frames(self, indices):
            raise MissingDecoder("Found a codec that this computer cannot decode (the dataset may be sound).")

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
