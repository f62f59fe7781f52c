"""The story told small: every step happens, nothing is prepared, and a stopped demo goes on where it was."""

import re
from contextlib import contextmanager

import pytest

from regrasp.data.rollouts import read_rollouts
from regrasp.demo import Demo, Size
from regrasp.errors import UsageError

SMALL = Size(demonstrations=4, epochs=0.5, rollouts=1, workers=1)


@contextmanager
def silent(title):
    yield lambda done, total, note="": None


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "demo"
    lines = []
    page = Demo(out, SMALL, say=lines.append, work=silent).run()
    return out, lines, page


def test_each_step_leaves_its_result(told):
    out, _, page = told
    made = {path.name for path in out.iterdir()}
    assert {"demonstrations", "policy", "blind", "rollouts", "report.html"} <= made
    assert page == out / "report.html"
    assert {path.name for path in (out / "rollouts").iterdir()} == {
        "healthy",
        "blind-baseline",
        "another-instruction",
        "another-instruction-put-right",
        "swapped-cameras",
        "swapped-cameras-put-right",
    }


def test_preflight_stops_both_mistakes_by_name(told):
    lines = "\n".join(told[1])
    assert "preflight stops it: instruction-mismatch" in lines
    assert "preflight stops it: swapped-cameras" in lines


def test_the_wrong_runs_were_really_wrong_and_say_so(told):
    out, _, _ = told
    wrong = read_rollouts(out / "rollouts" / "another-instruction")
    assert wrong.task == "Grasp a brain and put it in the bin."
    assert wrong.overrides == ("instruction-mismatch",)
    swapped = read_rollouts(out / "rollouts" / "swapped-cameras")
    assert swapped.overrides == ("swapped-cameras",)
    assert swapped.deployment.options == {"cameras": "front=wrist,wrist=front", "seed": "2"}


def test_every_rate_stands_with_counts_and_interval(told):
    rates = [line for line in told[1] if line.strip().startswith(("healthy:", "blind baseline:"))]
    assert len(rates) == 2
    assert all("/1 (" in line and "%)" in line for line in rates)


def test_the_page_loads_nothing_from_elsewhere(told):
    page = re.sub(r"(?s)<script>.*?</script>", "", told[2].read_text())
    assert "Why it fails: swapped cameras" in page
    assert not re.findall(r"""(?:src|href)=["']?https?:|url\(http|@import""", page)


def test_a_stopped_demo_goes_on_without_doing_anything_twice(told):
    out, lines, _ = told
    before = {path: path.stat().st_mtime_ns for path in out.rglob("model.safetensors")}
    again = []
    Demo(out, SMALL, say=again.append, work=silent).run()
    assert {path: path.stat().st_mtime_ns for path in out.rglob("model.safetensors")} == before
    assert [line for line in again if "audit" not in line.lower() and " s." not in line] == [
        line for line in lines if "audit" not in line.lower() and " s." not in line
    ]


def test_another_size_is_not_mixed_in(told):
    with pytest.raises(UsageError, match="holds a demo of another size"):
        Demo(told[0], Size(demonstrations=5), say=lambda line: None, work=silent)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match="is not empty and not a demo"):
        Demo(tmp_path, SMALL, say=lambda line: None, work=silent)


def test_too_little_time_is_refused():
    with pytest.raises(
        UsageError, match=r"^--minutes is 4; expected 8 or more: in less, two cores do not teach"
    ):
        Size.for_minutes(4, 2)


def test_less_time_takes_rollouts_before_demonstrations():
    full, short, long = (Size.for_minutes(minutes, 2) for minutes in (11, 8, 22))
    assert full == Size()
    assert short.rollouts / full.rollouts < short.demonstrations / full.demonstrations
    assert long.demonstrations == 2 * full.demonstrations
