"""What rollouts make of a cause."""

from dataclasses import replace

import numpy as np
import pytest
from test_ranking import COMMAND, finding, probe

from regrasp.diagnosis.address import Address
from regrasp.diagnosis.confirm import NEGLIGIBLE, STEP, confirm
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


def test_a_suspect_that_the_policy_succeeds_with_is_cleared():
    found = confirm(diagnosis([finding("flipped-camera")]), Twin())
    assert found.verdict is None
    assert statuses(found) == {"flipped-camera": Status.CLEARED}
    assert found.causes[0].rerun.gain95[1] < NEGLIGIBLE


def test_where_the_policy_fails_either_way_nothing_is_cleared():
    found = confirm(diagnosis([finding("flipped-camera")]), Twin("dark-camera"))
    assert found.verdict is None
    assert statuses(found) == {"flipped-camera": Status.SUSPECTED}
    assert "something else may hide whether this matters" in found.causes[0].reason


class Two:
    """Each of two causes costs some of the starts, whichever those are."""

    def __init__(self, seed, costs):
        self.rng, self.costs, self.known = np.random.default_rng(seed), costs, {}

    def __call__(self, options, starts):
        left = [cost for name, cost in self.costs.items() if name in options.get("fault", "")]
        chance = 0.8 - sum(left)
        return [bool(self.rng.random() < chance) for _ in starts]


def test_real_causes_are_seldom_cleared():
    suspects = [finding("flipped-camera"), finding("dark-camera")]
    costs = {"flipped-camera": 0.25, "dark-camera": 0.25}
    found = [confirm(diagnosis(suspects), Two(seed, costs)) for seed in range(60)]
    cleared = sum(cause.status is Status.CLEARED for one in found for cause in one.causes)
    assert cleared <= 6  # of 120; they were 42
    assert sum(one.verdict is None for one in found) <= 2


def test_causes_that_help_together_only_are_named_together():
    def trial(options, starts):
        left = [name for name in ("flipped-camera", "dark-camera") if name in options.get("fault", "")]
        lost = {0: 0, 1: 2, 2: 9}[len(left)]
        return [start % 20 >= lost for start in starts]

    found = confirm(diagnosis([finding("flipped-camera"), finding("dark-camera")]), trial)
    assert set(statuses(found).values()) == {Status.CONFIRMED}
    assert all(cause.reason.startswith("Put right together") for cause in found.causes)


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
    assert statuses(found) == {"x": Status.SUSPECTED}
    assert found.verdict is None


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


@pytest.mark.parametrize(("fatal", "status"), [("flipped-camera", Status.CONFIRMED), ("", Status.NO_EFFECT)])
def test_where_nothing_is_proven_what_hardly_moves_the_first_plan_is_tried_too(fatal, status):
    hardly = [replace(probe("flipped-camera", moved=0.1), command=None)]
    before = diagnosis([finding("flipped-camera")], hardly)
    assert statuses(before) == {"flipped-camera": Status.NO_EFFECT}
    found = confirm(before, Twin(*([fatal] if fatal else [])))
    assert statuses(found) == {"flipped-camera": status}


def test_beside_a_proven_cause_it_is_left_alone():
    proven, hardly = probe("dark-camera"), probe("flipped-camera", moved=0.1)
    found = confirm(
        diagnosis([finding("dark-camera"), finding("flipped-camera")], [proven, hardly]), Twin("dark-camera")
    )
    assert statuses(found)["flipped-camera"] is Status.NO_EFFECT
