"""What makes a cause a cause, and which comes first."""

from dataclasses import replace

import pytest

from regrasp.cli.options import as_given
from regrasp.diagnosis import Evidence, Finding, Fix, Where
from regrasp.diagnosis.address import Address
from regrasp.diagnosis.probe import BACK, ProbeResult
from regrasp.diagnosis.ranking import CARES_SPREADS, Status, rank
from regrasp.diagnosis.reference import InputDistance
from regrasp.diagnosis.runner import load_check

COMMAND = "regrasp rollout CHECKPOINT --station STATION --starts home"


def finding(check):
    return Finding(
        check=check,
        summary="It differs.",
        where=Where(),
        evidence=(Evidence("by", 2, 1),),
        fix=Fix("Mend it."),
    )


def probe(cause, before=10.0, after=1.0, moved=2.0, healthy=1.0, limit=2.0):
    distance = InputDistance("front", before, after, healthy, limit, (before, before))
    return ProbeResult("probe", cause, "mended", (distance,), moved, (moved, moved), 12, COMMAND)


def ranked(findings=(), probes=(), failing=True, successes=()):
    address = Address("runs/x", "twin")
    return rank(findings, probes, failing=failing, probed=True, address=address, successes=dict(successes))


def status(**changes):
    (cause,) = ranked([finding("x")], [probe("x", **changes)])
    return cause.status


def test_mismatch_relief_and_care_make_a_cause():
    assert status() is Status.CAUSE


def test_a_plan_that_moves_exactly_the_limit_counts():
    assert status(moved=CARES_SPREADS) is Status.CAUSE
    assert status(moved=CARES_SPREADS - 1e-9) is Status.NO_EFFECT


def test_relief_of_exactly_the_limit_counts():
    after = 10 - BACK * 9
    assert status(after=after) is Status.CAUSE
    assert status(after=after + 0.01) is Status.SUSPECTED


def test_back_inside_the_healthy_level_is_full_relief():
    assert probe("x", after=2.0).relief == 1.0


def test_a_probe_that_makes_it_worse_has_negative_relief_and_no_score():
    (cause,) = ranked([finding("x")], [probe("x", after=30)])
    assert cause.probe is not None
    assert cause.probe.relief < 0
    assert (cause.status, cause.score) == (Status.SUSPECTED, 0.0)


def test_an_input_that_was_healthy_is_no_mismatch():
    assert ranked([], [probe("x", before=1.5)]) == ()


def test_a_probe_that_helps_names_a_cause_that_no_check_saw():
    (cause,) = ranked([], [probe("x")])
    assert cause.status is Status.CAUSE
    assert cause.fix.command == "regrasp rollout runs/x --station twin --starts home --out NEW"


def test_a_probe_that_does_not_help_names_nothing():
    assert ranked([], [probe("x", after=9)]) == ()


def test_a_finding_that_no_probe_tests_is_suspected():
    (cause,) = ranked([finding("x")])
    assert (cause.status, cause.probe) == (Status.SUSPECTED, None)


@pytest.mark.parametrize(
    ("k", "n", "status"), [(8, 10, "cause"), (9, 10, "suspected"), (0, 1, "cause"), (4, 5, "suspected")]
)
def test_of_few_failures_a_cause_is_only_suspected(k, n, status):
    (cause,) = ranked([finding("x")], [probe("x")], successes=enumerate(k * [True] + (n - k) * [False]))
    assert cause.status == status
    assert ("happens to a sound policy too" in cause.reason) == (status == "suspected")


def test_failures_of_the_episodes_that_it_was_found_in_count():
    only = replace(finding("x"), where=Where((3, 4)))
    (cause,) = ranked([only], [probe("x")], successes={n: n not in (3, 4) for n in range(20)}.items())
    assert cause.status is Status.CAUSE


def test_nothing_is_a_cause_where_nothing_failed():
    (cause,) = ranked([finding("x")], [probe("x")], failing=False)
    assert cause.status is Status.NO_HARM


def test_the_surest_and_strongest_come_first():
    findings = [finding(name) for name in "dcba"]
    probes = [probe("a", moved=0), probe("b", after=8), probe("c", after=2.5), probe("d")]
    causes = ranked(findings, probes)
    assert [cause.name for cause in causes] == ["d", "c", "b", "a"]
    assert [cause.status for cause in causes] == [
        Status.CAUSE,
        Status.CAUSE,
        Status.SUSPECTED,
        Status.NO_EFFECT,
    ]


@pytest.mark.parametrize(
    ("before", "then", "left"),
    [
        ("", "front=wrist,wrist=front", "front=wrist,wrist=front"),
        ("front=wrist,wrist=front", "front=wrist,wrist=front", ""),
        ("a=b,b=c,c=a", "a=c,b=a,c=b", ""),
        ("a=b,b=a", "b=c,c=b", "a=b,b=c,c=a"),
    ],
)
def test_exchanges_of_cameras_are_carried_out_one_after_the_other(before, then, left):
    address = Address("c", "s", "o", {"cameras": before} if before else {})
    command = address.fill(f"regrasp rollout CHECKPOINT --station STATION --cameras {then}")
    assert command == f"regrasp rollout c --station s {'--cameras ' + left + ' ' if left else ''}--out o"


def test_who_refused_homing_is_told_commands_without_it_unless_homing_puts_it_right():
    address = Address("runs/act", "desk.yaml", options=as_given(home=False, no_home=True))
    again = "regrasp rollout CHECKPOINT --station STATION"
    assert address.fill(again) == "regrasp rollout runs/act --station desk.yaml --no-home --out NEW"
    assert address.fill(f"{again} --home") == "regrasp rollout runs/act --station desk.yaml --home --out NEW"


def test_what_a_difference_sets_off_too_is_left_out_where_it_puts_it_right():
    load_check("flipped-camera")
    pair = [finding("flipped-camera"), finding("changed-light")]
    (cause,) = ranked(pair, [probe("flipped-camera"), probe("changed-light")])
    assert cause.name == "flipped-camera"
    (cause,) = ranked(pair, [probe("flipped-camera", moved=0), probe("changed-light", moved=0)])
    assert cause.name == "flipped-camera"


def test_it_stays_where_the_other_is_not_put_right_or_touches_other_inputs():
    load_check("flipped-camera")
    pair = [finding("flipped-camera"), finding("changed-light")]
    unproven = ranked(pair, [probe("flipped-camera", after=9), probe("changed-light")])
    assert unproven[0].name == "changed-light"
    elsewhere = replace(probe("x").distances[0], name="wrist")
    both = ranked(pair, [probe("flipped-camera"), replace(probe("changed-light"), distances=(elsewhere,))])
    assert {cause.name for cause in both} == {"flipped-camera", "changed-light"}


INJECTED = Address(
    "c", "twin", "o", {"fault": "dark-camera:light=0.1;calibration-offset:joint=2", "seed": "3"}
)


def test_a_cause_leaves_out_its_own_fault_of_the_twin_and_no_other():
    (dark,) = rank([finding("dark-camera")], [], failing=True, probed=True, address=INJECTED)
    assert dark.fix.command == (
        "regrasp rollout c --station twin --fault calibration-offset:joint=2 --seed 3 --out o"
    )
    (other,) = rank([finding("frozen-camera")], [], failing=True, probed=True, address=INJECTED)
    assert other.fix.command == INJECTED.fill()  # put right by hand, then run again as it was


def test_a_command_with_an_option_of_its_own_keeps_the_fault_that_it_stands_against():
    address = Address("c", "twin", "o", {"fault": "swapped-cameras"})
    told = address.remedy(
        ("swapped-cameras", "regrasp rollout CHECKPOINT --station STATION --cameras a=b,b=a")
    )
    assert told == "regrasp rollout c --station twin --fault swapped-cameras --cameras a=b,b=a --out o"


def test_one_command_undoes_all_proven_causes():
    told = INJECTED.remedy(("dark-camera", None), ("calibration-offset", None))
    assert told == "regrasp rollout c --station twin --seed 3 --out o"
    assert INJECTED.remedy(("frozen-camera", None)) is None
    assert INJECTED.remedy() is None


def test_what_moved_is_said_in_the_probes_own_words():
    own = replace(probe("x"), moving="the arm waits {:.1f} s")
    (cause,) = ranked([finding("x")], [own])
    assert cause.reason.endswith("and the arm waits 2.0 s.")


def test_a_rough_intervention_needs_less_to_be_proof():
    rough = replace(probe("x", after=6.0), enough=0.4)
    assert ranked([finding("x")], [rough])[0].status is Status.CAUSE
    assert ranked([finding("x")], [probe("x", after=6.0)])[0].status is Status.SUSPECTED


def test_what_a_probe_alone_speaks_for_gives_way_to_what_was_found_of_the_same_input():
    (cause,) = ranked([finding("x")], [probe("x"), probe("y")])
    assert cause.name == "x"
    elsewhere = replace(probe("y"), distances=(replace(probe("y").distances[0], name="wrist"),))
    assert [cause.name for cause in ranked([finding("x")], [probe("x"), elsewhere])] == ["x", "y"]


def test_what_the_run_was_let_go_in_spite_of_is_allowed_again_but_for_what_is_put_right():
    address = Address("c", "twin", "o", allowed=("moved-camera", "instruction-mismatch"))
    again = "regrasp rollout CHECKPOINT --station STATION --task Grab"
    assert address.remedy(("instruction-mismatch", again)) == (
        "regrasp rollout c --station twin --task Grab --allow moved-camera --out o"
    )


def test_an_instruction_that_is_called_like_its_option_is_told():
    again = "regrasp rollout CHECKPOINT --station STATION --task task"
    assert Address("c", "s", "o", {"rtc": "rtc"}).fill(again) == (
        "regrasp rollout c --station s --rtc --task task --out o"
    )


def test_what_so_few_episodes_show_by_chance_is_only_suspected_where_no_check_found_it():
    sure, few = probe("x"), probe("x")
    few = replace(few, distances=tuple(replace(one, chance=0.01) for one in few.distances))
    assert ranked(probes=[sure])[0].status is Status.CAUSE
    (cause,) = ranked(probes=[few])
    assert cause.status is Status.SUSPECTED
    assert "by chance" in cause.reason
    assert ranked([finding("x")], [few])[0].status is Status.CAUSE
