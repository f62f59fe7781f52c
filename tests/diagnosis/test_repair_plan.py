"""Which repairs a dataset gets, which findings wait, and which need a person."""

from dataclasses import dataclass

import pytest
from sound_dataset import sound_dataset

from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Where, repair_plan
from regrasp.diagnosis.audit import Audit
from regrasp.diagnosis.repair import (
    ConvertUnits,
    DropEpisodes,
    Line,
    RecomputeStatistics,
    ReplaceInstructions,
    SwapCameras,
    TrimEpisodes,
    dropping,
)
from regrasp.diagnosis.repair_plan import dropped_episodes, final_wordings, kept_frames, plan_repairs
from regrasp.diagnosis.runner import Result
from regrasp.errors import DatasetError

DATASET = sound_dataset(episodes=4, seconds=1.0, cameras=False)


def finding(repair, *, check="a-check", severity=Severity.WARNING):
    where = Where(tuple(getattr(repair, "episodes", ())))
    evidence = (Evidence("something", 1, 0),)
    return Finding(
        summary="It is so.", where=where, evidence=evidence, fix=Fix("Do it.", repair=repair), check=check,
        severity=severity,
    )  # fmt: skip


@pytest.fixture
def planned(monkeypatch):
    """The plan for a dataset in which these findings are made."""

    def plan(*findings, names=None):
        result = Result(tuple(findings), (), (), 0.0)
        monkeypatch.setattr(repair_plan, "audit", lambda dataset, only: Audit(dataset, result))
        return plan_repairs(DATASET, names)

    return plan


def test_leaving_out_episodes_for_a_warning_waits_for_its_check_to_be_named(planned):
    drop = finding(DropEpisodes((1,)))
    assert [left.check for left in planned(drop).needs_you] == ["a-check"]
    assert planned(drop, names=["a-check"]).repairs == (DropEpisodes((1,)),)


def test_what_has_a_repair_becomes_a_step_and_what_has_none_needs_a_person(planned):
    plan = planned(finding(DropEpisodes((1,)), severity=Severity.ERROR), finding(None, check="other"))
    assert plan.repairs == (DropEpisodes((1,)),)
    assert [left.check for left in plan.needs_you] == ["other"]
    assert plan.episodes_left == 3


def test_one_repair_asked_for_by_two_findings_of_a_check_is_one_step(planned):
    plan = planned(finding(RecomputeStatistics()), finding(RecomputeStatistics()))
    assert plan.repairs == (RecomputeStatistics(),)


def test_what_is_worth_knowing_alone_needs_nobody(planned):
    assert planned(finding(None, severity=Severity.INFO)).needs_you == ()


def test_leaving_out_all_episodes_is_up_to_a_person_though_each_check_leaves_some(planned):
    plan = planned(
        finding(DropEpisodes((0, 1))), finding(DropEpisodes((2, 3))), finding(RecomputeStatistics())
    )
    assert plan.repairs == (RecomputeStatistics(),)
    assert len(plan.needs_you) == 2


@pytest.mark.parametrize(
    "saving", [SwapCameras((2,), ("front", "wrist")), ConvertUnits((2,), {"gripper": Line(-1, 100)})]
)
def test_an_episode_that_another_repair_puts_right_is_not_left_out_for_a_warning(planned, saving):
    plan = planned(finding(saving), finding(DropEpisodes((2, 3))))
    assert plan.repairs == (saving,)
    assert len(plan.waiting) == 1
    assert plan.needs_you == ()


def test_an_error_leaves_out_an_episode_that_is_put_right_otherwise_too(planned):
    swap = SwapCameras((2,), ("front", "wrist"))
    plan = planned(finding(swap), finding(DropEpisodes((2,)), severity=Severity.ERROR))
    assert plan.repairs == (swap, DropEpisodes((2,)))
    assert plan.waiting == ()


def test_other_episodes_are_left_out_all_the_same(planned):
    drop = finding(DropEpisodes((3,)), severity=Severity.ERROR)
    plan = planned(finding(SwapCameras((2,), ("front", "wrist"))), drop)
    assert dropped_episodes(plan.repairs) == {3}


def test_dropping_everything_is_no_repair():
    assert dropping(DATASET, [0, 1, 2, 3]) is None
    assert dropping(DATASET, [3, 0, 3]) == DropEpisodes((0, 3))


def test_cuts_that_leave_nothing_are_refused_with_the_episode():
    with pytest.raises(DatasetError, match="Found two repairs of episode 1 that leave no frame of it"):
        kept_frames([TrimEpisodes({1: (0, 4)}), TrimEpisodes({1: (5, 9)})])
    assert kept_frames([TrimEpisodes({1: (0, 5)}), TrimEpisodes({1: (5, 9)})]) == {1: (5, 5)}


def test_wordings_that_lead_in_a_circle_end():
    assert set(final_wordings([("a", "b"), ("b", "a")])) <= {"a", "b"}


@dataclass(frozen=True)
class Said:
    repair: object
    words: str


@pytest.mark.parametrize(
    "said",
    [
        Said(DropEpisodes((1, 4)), "leave out 2 episodes (1 and 4)"),
        Said(TrimEpisodes({3: (7, 90)}), "cut 1 episode (3) to frames 7-90"),
        Said(ReplaceInstructions({"a": "b"}), "write 'b' instead of 'a'"),
        Said(
            SwapCameras((0, 1, 2), ("front", "wrist")),
            "exchange the pictures of 'front' and 'wrist' in 3 episodes (0-2)",
        ),
        Said(ConvertUnits((5,), {"gripper": Line(-1, 100)}), "convert 1 episode (5): gripper = -1 x + 100"),
    ],
)
def test_a_repair_says_what_it_does(said):
    assert str(said.repair) == said.words


def test_an_instruction_that_may_be_meant_waits_for_its_check_to_be_named(planned):
    sure, slip = ReplaceInstructions({"a.": "a"}), ReplaceInstructions({"tube": "cube"}, sure=False)
    assert [step.repair for step in planned(finding(sure), finding(slip)).steps] == [sure]
    assert [step.repair for step in planned(finding(slip), names=["a-check"]).steps] == [slip]


def test_an_episode_that_is_left_out_is_not_cut():
    cuts = [TrimEpisodes({1: (0, 4)}), TrimEpisodes({1: (8, 9), 2: (3, 9)})]
    assert kept_frames(cuts, {1}) == {2: (3, 9)}
