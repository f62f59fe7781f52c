"""`regrasp coverage`: where demonstrations lie, what is thin, and what to record next."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from dataset_folder import write_v3
from sound_dataset import sound_dataset

import regrasp
from regrasp.arm.kinematics import tip_positions
from regrasp.arm.so101 import HOME
from regrasp.cli import main
from regrasp.data.grasps import find_grasps
from regrasp.data.rollouts import Deployment, Outcome, write_outcomes
from regrasp.diagnosis.coverage import TWIN_AREA_CENTRE, coverage, parse_side
from regrasp.errors import UsageError


@pytest.fixture(scope="module")
def sound():
    return sound_dataset(episodes=20, cameras=False)


@pytest.fixture
def folder(sound, tmp_path):
    return write_v3(sound, tmp_path / "sound")


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")

    def says(*words):
        monkeypatch.setattr(sys, "argv", ["regrasp", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return left.value.code or 0, captured.out, captured.err

    return says


def with_objects(folder, dataset, places, success):
    """The folder with notes of where the object lay, as the twin leaves them."""
    outcomes = [
        Outcome(episode.index, bool(won), initial={"object_x_m": x, "object_y_m": y}, scored_by="physics")
        for episode, (x, y), won in zip(dataset.episodes, places, success, strict=True)
    ]
    write_outcomes(folder, outcomes, Deployment())
    return folder


def test_grasps_lie_where_the_hand_was(sound):
    covered = coverage(sound)
    tips = tip_positions(np.array([grasp.pose for grasp in find_grasps(sound)]))
    assert covered.map.of == "grasps"
    np.testing.assert_allclose(covered.map.places, tips[:, :2])
    assert covered.undecided == ()


def test_every_place_is_in_a_cell(sound):
    mapped = coverage(sound).map
    assert mapped.cells.counts.sum() == len(mapped.places) == 20
    assert mapped.outside == 0


def test_the_usual_start_is_home(sound):
    covered = coverage(sound)
    assert [joint.usual for joint in covered.starts] == pytest.approx(HOME, abs=2.0)
    assert covered.start_tip_cm < 3


def test_objects_are_mapped_where_the_dataset_has_them(sound, folder):
    places = np.random.default_rng(0).uniform([0.16, -0.07], [0.30, 0.07], (20, 2))
    covered = coverage(with_objects(folder, sound, places, [True] * 20))
    assert covered.map.of == "objects"
    np.testing.assert_allclose(covered.map.places, places)
    assert not covered.map.scored


def test_success_in_each_cell_comes_with_counts_and_interval(sound, folder):
    places = np.random.default_rng(0).uniform([0.16, -0.07], [0.30, 0.07], (20, 2))
    won = places[:, 1] > 0
    covered = coverage(with_objects(folder, sound, places, won), area="6in", centre=(0.23, 0.0))
    rates = covered.map.rates
    assert sum(rate.k for rate in rates.values()) == won.sum()
    assert sum(rate.n for rate in rates.values()) == 20
    rightmost = [rate for (_, column), rate in rates.items() if column == 0]
    assert sum(rate.k for rate in rightmost) == 0
    listed = covered.to_json()["map"]["cells"]["success"]
    assert all(one["wilson95"][0] <= one["k"] / one["n"] <= one["wilson95"][1] for one in listed)


def test_the_area_of_the_twin_is_the_square_on_its_table(sound):
    pytest.importorskip("mujoco")
    from regrasp.sim.scene import AREA_CENTRE, AREAS

    assert TWIN_AREA_CENTRE == AREA_CENTRE
    assert {name: parse_side(name) for name in AREAS} == pytest.approx(AREAS)
    covered = coverage(replace(sound, robot_type="so101_twin"), area="6in")
    assert covered.map.area.centre.tolist() == pytest.approx(AREA_CENTRE)
    assert covered.map.area.size_m.tolist() == pytest.approx([AREAS["6in"]] * 2)


def test_next_episodes_lie_in_the_area_and_away_from_what_is_there(sound):
    covered = coverage(sound, area="20cm", centre=(0.23, 0.0), next_episodes=7)
    assert len(covered.next) == 7
    for one in covered.next:
        assert 0.13 <= one.x_m <= 0.33
        assert -0.10 <= one.y_m <= 0.10
    assert covered.next[0].nearest_cm > 5


def test_words_say_which_way_from_the_middle(sound):
    covered = coverage(sound, area="20cm", centre=(0.23, 0.0), next_episodes=4)
    for one in covered.next:
        assert ("beyond" in one.words) == (100 * (one.x_m - 0.23) >= 0.5)
        assert ("left of" in one.words) == (100 * one.y_m >= 0.5)
        assert f"({one.x_m:.3f}, {one.y_m:.3f}) m" in str(one)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"robot_type": "so100_follower"}, "this is a so100_follower"),
        ({"robot_type": None}, "this is a unknown robot"),
        ({"joint_names": ("a", "b", "c", "d", "e", "gripper")}, "these are a, b, c, d, e, gripper"),
    ],
)
def test_another_robot_is_undecided(sound, change, reason):
    covered = coverage(replace(sound, **change))
    assert covered.map is None
    assert covered.next == ()
    ((what, said),) = covered.undecided
    assert what == "map"
    assert reason in said


def test_joints_in_radians_are_undecided(sound):
    radians = sound.map_episodes(lambda e: replace(e, states=np.deg2rad(e.states)))
    assert dict(coverage(radians).undecided)["map"].startswith("the unit of the joints cannot be told")


def test_a_zero_that_is_not_the_models_is_undecided(sound):
    folded = sound.map_episodes(lambda e: replace(e, states=e.states + np.array([0, -70, 0, 0, 0, 0.0])))
    assert "where no table is" in dict(coverage(folded).undecided)["map"]


def test_two_grasps_are_too_few_to_map(sound):
    covered = coverage(replace(sound, episodes=sound.episodes[:2]))
    assert dict(covered.undecided)["map"] == "needs 3 grasps to map, got 2"


@pytest.mark.parametrize("area", ["6", "six inches", "0in", "-2in", "5m", "1e3cm", ""])
def test_an_area_that_is_none_is_refused(sound, area):
    with pytest.raises(UsageError, match="expected the side of a square"):
        coverage(sound, area=area)


def test_the_command_prints_map_and_list(run, folder):
    code, out, err = run("coverage", folder, "--next", "3", "--area", "20cm")
    assert (code, err) == (0, "")
    assert out.startswith("sound: 20 episodes, ")
    assert "Grasps seen from above" in out
    assert out.count("put the object") == 3
    assert "start each from the usual pose: shoulder_pan -" in out
    assert "[0]" in out


def test_rollouts_show_success_in_each_cell_with_its_interval(run, sound, folder, tmp_path):
    places = np.random.default_rng(0).uniform([0.16, -0.07], [0.30, 0.07], (20, 2))
    with_objects(folder, sound, places, places[:, 1] > 0)
    _, out, _ = run(
        "coverage", folder, "--area", "6in", "--centre", "0.23,0", "--html", tmp_path / "map.html"
    )
    worst = next(line for line in out.splitlines() if line.startswith("  success 0/"))
    assert "(0-" in worst
    assert " %) at x 0." in worst
    page = (tmp_path / "map.html").read_text()
    assert "Success in each cell" in page
    assert "succeeded" in page
    assert "failed" in page


def test_json_is_one_object_and_nothing_else(run, folder):
    code, out, err = run("coverage", folder, "--json", "--next", "2")
    said = json.loads(out)
    assert (code, err) == (0, "")
    assert set(said) == {
        "dataset",
        "episodes",
        "frames",
        "starts",
        "grasps",
        "map",
        "next",
        "undecided",
        "seconds",
    }
    assert sum(map(sum, said["map"]["cells"]["counts"])) == 20
    assert len(said["next"]) == 2


def test_the_page_is_whole_and_loads_nothing(run, folder, tmp_path):
    page = tmp_path / "map.html"
    code, out, _ = run("coverage", folder, "--html", page)
    source = page.read_text()
    assert code == 0
    assert f"The map is in {page}." in out
    assert "Record next" in source
    assert 'type="application/json"' in source
    assert "<script src=" not in source
    assert "<link" not in source


def test_centre_without_area_is_refused(run, folder):
    code, out, err = run("coverage", folder, "--centre", "0.2,0")
    assert (code, out) == (2, "")
    assert err.startswith("error: Found --centre without --area")
    code, _, err = run("coverage", folder, "--area", "6in", "--centre", "0.2")
    assert code == 2
    assert "expected two numbers in metres" in err


def test_it_is_a_function_too(folder):
    assert regrasp.coverage(folder).map is not None


def test_looking_at_a_table_imports_nothing_heavy(folder):
    program = (
        "import sys, regrasp.cli, regrasp.cli.coverage as verb; from regrasp import coverage;"
        f"coverage({str(folder)!r}); import regrasp.report.coverage_text;"
        "print([m for m in ('scipy', 'plotly', 'torch', 'lerobot', 'mujoco', 'av') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_a_recording_in_percent_is_undecided_with_the_way_out(real_data):
    reason = dict(coverage(real_data / "record-test").undecided)["map"]
    assert reason.startswith("joints are from -100 to 100")
    assert "use_degrees=true" in reason


def test_a_recording_of_a_real_arm_grasps_at_the_height_of_a_table(real_data):
    covered = coverage(real_data / "chethantu_pick_place")
    tips = tip_positions(np.array([grasp.pose for grasp in covered.grasps]))
    assert abs(np.median(tips[:, 2])) < 0.03
    assert covered.map.outside == 0
