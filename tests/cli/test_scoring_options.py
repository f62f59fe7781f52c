"""Who says how an episode ended, as the options of `regrasp rollout` ask for it."""

from pathlib import Path

import pytest

from regrasp.cli.rollout import scoring
from regrasp.data.station import GoalRegion, Station, load_station, parse_goal, save_station, twin
from regrasp.errors import StationError, UsageError

CAMERAS = {"front": {"type": "opencv"}}
DESK = Station(name="desk", robot={"type": "so101_follower", "cameras": CAMERAS})
SEEING = DESK.model_copy(update={"goal": GoalRegion(camera="front", reference="demos")})


def test_nothing_is_asked_for_by_default():
    assert scoring(None, DESK, None, None) is scoring(None, twin(), None, None) is None
    assert scoring("keys", DESK, None, None) is scoring("physics", twin(), None, None) is None


def test_the_options_go_before_the_station():
    found = scoring("goal-region", SEEING, "front:0.2,0.1,0.8,0.9", Path("others"))
    assert (found.region, found.reference) == ((0.2, 0.1, 0.8, 0.9), "others")
    assert scoring("goal-region", SEEING, "front:0.2,0.1,0.8,0.9", None).reference == "demos"
    assert scoring("goal-region", SEEING, None, None).region == (0.0, 0.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("luck", DESK, None, None), "--score is 'luck'; expected goal-region or keys on station 'desk'."),
        (
            ("physics", DESK, None, None),
            "--score is 'physics'; expected goal-region or keys on station 'desk'.",
        ),
        (
            (None, DESK, "front", None),
            "--goal and --goal-from are for --score goal-region; give that too, or leave them out.",
        ),
        (
            ("goal-region", DESK, None, Path("d")),
            "--score goal-region needs to know where to look; station 'desk' has no goal. Give --goal "
            "front:0.2,0.1,0.8,0.9, or write it into the station file.",
        ),
        (
            ("goal-region", DESK, "front", None),
            "--score goal-region needs pictures of successful ends; give --goal-from with the demonstrations.",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(given, said):
    with pytest.raises(UsageError) as raised:
        scoring(*given)
    assert str(raised.value) == said


@pytest.mark.parametrize(
    "text", ["front:1,2", "front:0.8,0.1,0.2,0.9", "front:a,b,c,d", "front:0,0,1,nan", "front:0,0,2,1"]
)
def test_a_region_that_is_none_is_refused(text):
    with pytest.raises(UsageError) as raised:
        parse_goal(text)
    assert str(raised.value) == (
        f"Found goal '{text}'; expected a camera and left,top,right,bottom as shares of its picture; try "
        "'front:0.2,0.1,0.8,0.9'."
    )


def test_a_station_file_keeps_its_goal(tmp_path):
    save_station(SEEING, tmp_path / "desk.yaml")
    assert load_station(tmp_path / "desk.yaml") == SEEING
    file = tmp_path / "desk.yaml"
    file.write_text(file.read_text().replace("- 1.0", "- 5.0"))
    with pytest.raises(StationError, match="expected left,top,right,bottom between 0 and 1"):
        load_station(tmp_path / "desk.yaml")
