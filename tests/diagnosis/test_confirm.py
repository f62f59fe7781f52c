"""What rollouts make of a cause."""

import pytest
from test_ranking import COMMAND, finding, probe

from regrasp.diagnosis.address import Address
from regrasp.diagnosis.confirm import STEP, confirm
from regrasp.diagnosis.ranking import Diagnosis, Status, rank
from regrasp.errors import UsageError
from regrasp.stats import Rate

FAULTS = "flipped-camera:camera=wrist;dark-camera"


def diagnosis(findings=(), probes=(), fault=FAULTS):
    address = Address("runs/x", "twin", options={"fault": fault, "area": "2in"})
    causes = rank(findings, probes, failing=True, probed=True, address=address)
    return Diagnosis(causes, (), Rate(0, 10), address=address)


class Twin:
    """A station on which a policy succeeds unless one of `fatal` is put in."""

    def __init__(self, *fatal, chance=1.0):
        self.fatal, self.chance, self.runs = fatal, chance, []

    def __call__(self, options, starts):
        self.runs.extend(starts)
        sound = not any(name in options.get("fault", "") for name in self.fatal)
        return [sound and (7 * start) % 10 < 10 * self.chance for start in starts]


def statuses(found):
    return {cause.name: cause.status for cause in found.causes}


def test_a_suspect_whose_cure_brings_success_is_confirmed_with_its_counts():
    found = confirm(diagnosis([finding("flipped-camera")]), Twin("flipped-camera"))
    (cause,) = found.causes
    assert found.verdict == "flipped-camera"
    assert cause.status is Status.CONFIRMED
    assert cause.reason.startswith(
        "Put right, the policy succeeds in 10/10 (72-100 %) instead of 0/10 (0-28 %) of the same starts."
    )
    assert (
        cause.fix.command == "regrasp rollout runs/x --station twin --fault dark-camera --area 2in --out NEW"
    )


def test_a_suspect_whose_cure_changes_nothing_is_cleared():
    found = confirm(diagnosis([finding("flipped-camera")]), Twin("dark-camera"))
    assert found.verdict is None
    assert statuses(found) == {"flipped-camera": Status.CLEARED}


def test_of_two_suspects_the_one_that_success_depends_on_stays():
    suspects = [finding("flipped-camera"), finding("dark-camera")]
    found = confirm(diagnosis(suspects), Twin("dark-camera"))
    assert found.verdict == "dark-camera"
    assert statuses(found) == {"dark-camera": Status.CONFIRMED, "flipped-camera": Status.CLEARED}


def test_two_causes_that_each_suffice_to_fail_are_both_confirmed():
    suspects = [finding("flipped-camera"), finding("dark-camera")]
    found = confirm(diagnosis(suspects), Twin("dark-camera", "flipped-camera"))
    assert set(statuses(found).values()) == {Status.CONFIRMED}
    assert found.remedy == "regrasp rollout runs/x --station twin --area 2in --out NEW"


def test_a_proof_by_probe_does_not_stand_against_rollouts():
    found = confirm(diagnosis([finding("x")], [probe("x")]), Twin("flipped-camera"))
    assert COMMAND.endswith("--starts home")
    assert statuses(found) == {"x": Status.CLEARED}


def test_a_small_gain_takes_more_starts_until_there_are_enough():
    twin = Twin(chance=0.3)
    found = confirm(
        diagnosis([finding("flipped-camera")]),
        lambda options, starts: (
            twin(options, starts) if "flipped" in options["fault"] else [True] * len(starts)
        ),
    )
    assert found.verdict == "flipped-camera"
    assert len(twin.runs) > STEP


def test_nothing_is_run_where_nothing_can_be_put_right():
    twin = Twin()
    assert confirm(diagnosis(), twin).causes == ()
    assert twin.runs == []


def test_too_few_starts_are_refused():
    with pytest.raises(UsageError, match=r"Found 5 starts to confirm with; expected at least 10\."):
        confirm(diagnosis(), Twin(), most_starts=5)
