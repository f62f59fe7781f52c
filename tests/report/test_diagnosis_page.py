"""A diagnosis for a person: at a terminal, and as a page."""

import io
from dataclasses import replace

import pytest
from deployments import FPS, NumpyPolicy, contract, live, never_closing, rollouts, swapped_pictures, training
from rich.console import Console

from regrasp import faults
from regrasp.data.rollouts import Ticks
from regrasp.diagnosis.address import Address
from regrasp.diagnosis.diagnose import judge
from regrasp.diagnosis.live_diagnosis import judge_live
from regrasp.diagnosis.ranking import CARES_SPREADS
from regrasp.report import figures, motion_figures, probe_figures
from regrasp.report.diagnosis_page import write_diagnosis_page
from regrasp.report.diagnosis_text import evidence_lines, print_diagnosis

TRAIN = training()
KNOWN = contract(TRAIN)
ADDRESS = Address("runs/last", "twin", "again")


@pytest.fixture(scope="module")
def failing():
    run = rollouts(8, successes=0)
    return replace(run, dataset=never_closing(swapped_pictures(run.dataset)))


@pytest.fixture(scope="module")
def found(failing):
    return judge(KNOWN, TRAIN, failing, NumpyPolicy(), ADDRESS)


def printed(diagnosis, **options):
    out = io.StringIO()
    print_diagnosis(diagnosis, Console(file=out, width=110, color_system=None), **options)
    return out.getvalue()


def test_the_answer_comes_first_with_its_evidence_and_its_command(found):
    lines = printed(found).splitlines()
    assert lines[0] == "Verdict: swapped-cameras."
    assert lines[1] == "Success: 0/8 (0-32 %)"
    text = printed(found)
    assert text.index("Put it right:") < text.index("Differences")
    assert f"\n  {found.remedy}\n" in text


def test_three_lines_say_what_differs_what_putting_it_right_does_and_what_was_seen(found):
    differs, shown, seen = evidence_lines(found)
    cause = found.causes[0]
    assert differs == cause.findings[0].summary
    assert shown == cause.reason
    assert seen == found.symptoms[0].summary


def test_where_no_check_found_it_the_first_line_says_what_was_put_right(found):
    cause = replace(found.causes[0], findings=())
    first, *_ = evidence_lines(replace(found, causes=(cause,)))
    assert cause.probe.intervention in first


def test_a_healthy_run_is_told_in_few_lines():
    healthy = rollouts(8)
    text = printed(judge(KNOWN, TRAIN, healthy, NumpyPolicy(), ADDRESS))
    assert text.startswith("No verdict: nothing failed.\nSuccess: 8/8")
    assert "Seen" not in text
    assert "Differences" not in text


def test_a_live_look_says_that_nothing_moved():
    looked = judge_live(KNOWN, TRAIN, faults.instruction_mismatch(live()), NumpyPolicy(), ADDRESS)
    assert "Looked at the station; nothing has moved." in printed(looked, live=True)


def test_the_page_has_the_verdict_the_figures_and_the_pairs_of_pictures(found, failing, tmp_path):
    page = write_diagnosis_page(found, tmp_path / "d.html", train=TRAIN, rollouts=failing).read_text()
    for title in ("Gripper", "Joints over time", "Start poses", "Distance to training, before and after"):
        assert f"<h3>{title}</h3>" in page
    assert "Does the policy care?" in page
    assert "front, training" in page
    assert "Verdict: swapped-cameras." in page
    assert page.count("<section") == 3


def test_the_page_of_a_live_look_shows_the_station_beside_the_training(tmp_path):
    seen = faults.instruction_mismatch(live())
    looked = judge_live(KNOWN, TRAIN, seen, NumpyPolicy(), ADDRESS)
    page = write_diagnosis_page(looked, tmp_path / "live.html", train=TRAIN, live=seen).read_text()
    assert "wrist, now" in page
    assert "Nothing has moved." in page
    assert "no trials" not in page


def test_jumps_are_drawn_where_the_turns_are_known(failing):
    import numpy as np

    assert motion_figures.jumps(TRAIN, failing.dataset, Ticks.empty(6)) is None
    episode = failing.episodes[0]
    turns = np.arange(episode.length)
    blank = np.full(episode.length, np.nan)
    sent = episode.actions + 30.0 * (turns >= 10)[:, None]
    ticks = Ticks(np.full(episode.length, episode.index), turns, turns / FPS, blank, turns // 10, turns % 10,
                  sent, sent, np.zeros(episode.length, np.bool_))  # fmt: skip
    figure = motion_figures.jumps(TRAIN, replace(failing.dataset, episodes=(episode,)), ticks)
    assert figure is not None
    by_name = {trace["name"]: trace for trace in figure.spec["data"]}
    assert list(by_name) == ["demonstrations", "within chunks", "at seams"]
    assert min(by_name["at seams"]["y"]) > 20
    assert len(by_name["demonstrations"]["y"]) == 6 * len(TRAIN.episodes)


def test_a_plan_that_hardly_moves_is_grey(found):
    probes = [cause.probe for cause in found.causes if cause.probe]
    figure = probe_figures.plan_moves(
        [*probes, replace(probes[0], moved=0.01, moved95=(0.0, 0.02))], CARES_SPREADS
    )
    (bars,) = figure.spec["data"]
    assert bars["marker"]["color"] == [figures.TRAINING, figures.PALETTE[0]]
    assert probe_figures.plan_moves([], CARES_SPREADS) is None
