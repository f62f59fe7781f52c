"""One page that holds everything: figures, pictures, clips, findings, verdicts."""

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import av
import numpy as np
import pytest
from deployments import NumpyPolicy, contract, live, never_closing, rollouts, swapped_pictures, training

from regrasp import faults
from regrasp.diagnosis.address import Address
from regrasp.diagnosis.diagnose import judge
from regrasp.diagnosis.preflight import preflight
from regrasp.report import figures, motion_figures
from regrasp.report.blocks import FindingsBlock, Row, Section
from regrasp.report.html import render, write_report
from regrasp.report.pictures import enlarged, mp4, png
from regrasp.report.sections import (
    deployment_section,
    diagnosis_section,
    preflight_section,
    success_section,
    training_section,
)
from regrasp.stats import Rate, compare_rates

TRAIN = training()
KNOWN = contract(TRAIN)
RATES = {"healthy": Rate(19, 20), "swapped": Rate(0, 20)}


class Page(HTMLParser):
    """What a browser would fetch, and whether tags close."""

    def __init__(self, source):
        super().__init__()
        self.fetched, self.open, self.drawings = [], [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.fetched += [value for name, value in attrs if name in ("src", "poster", "srcset")]
        self.fetched += [dict(attrs).get("href") for _ in [0] if tag == "link"]
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script" and data.startswith('{"data"'):
            self.drawings.append(json.loads(data))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    swapped = rollouts(8, successes=0)
    swapped = replace(swapped, dataset=never_closing(swapped_pictures(swapped.dataset)))
    found = judge(KNOWN, TRAIN, swapped, NumpyPolicy(), Address("runs/last", "twin"))
    sections = [
        success_section(RATES, baseline=("blind", Rate(5, 20)), comparison=compare_rates(*RATES.values())),
        training_section(TRAIN, KNOWN),
        preflight_section(preflight(KNOWN, faults.instruction_mismatch(live()))),
        deployment_section("swapped", TRAIN, swapped, KNOWN),
        diagnosis_section(found),
    ]
    out = tmp_path_factory.mktemp("report") / "new" / "report.html"
    return write_report(sections, out, title="The story", facts=RATES).read_text()


def test_nothing_is_fetched(page):
    parsed = Page(page)
    assert parsed.fetched
    assert all(source.startswith("data:") for source in parsed.fetched)
    assert parsed.open == []


def test_the_script_is_in_it_once_and_only_when_something_is_drawn(page):
    assert len(re.findall(r"plotly\.js v\d", page)) == 1
    assert "plotly" not in render([Section("Words", ())]).lower()


def test_every_drawing_is_json_that_plotly_takes(page):
    drawings = Page(page).drawings
    assert len(drawings) == 7
    for drawing in drawings:
        assert set(drawing) == {"data", "layout"}
        assert all(trace["type"] in ("bar", "scatter") for trace in drawing["data"])


def test_rates_stand_with_their_counts_and_intervals(page):
    assert "19/20 (76-99 %)" in page
    assert "0/20 (0-16 %)" in page
    assert "blind, 5/20 (11-47 %)" in page


def test_the_verdict_stands_with_its_command(page):
    assert "Verdict: swapped-cameras." in page
    assert "--cameras front=wrist,wrist=front --out NEW</pre>" in page


def test_what_comes_from_data_is_escaped():
    nasty = "<script>alert(1)</script>"
    told = faults.instruction_mismatch(rollouts(3), told=nasty)
    figure = figures.success_rates({nasty: Rate(1, 2)})
    source = render(
        [
            deployment_section(nasty, TRAIN, told, KNOWN),
            success_section({nasty: Rate(1, 2)}),
            Section(nasty, (FindingsBlock((Row(nasty, nasty),)),)),
        ],
        title=nasty,
    )
    assert nasty not in source
    assert nasty in json.dumps(figure.spec)


def test_runs_without_pictures_or_scores_have_a_page_too():
    bare = [replace(episode, cameras={}) for episode in TRAIN.episodes]
    data = replace(TRAIN, episodes=tuple(bare), camera_names=())
    deployed = rollouts(3)
    unscored = replace(
        deployed, dataset=replace(data, episodes=data.episodes[:3]), outcomes=deployed.outcomes[:0]
    )
    source = render([deployment_section("bare", data, unscored), training_section(data)])
    assert "0/0 (no trials)" in source
    assert "<img" not in source
    assert "<video" not in source


def test_a_clip_plays_back_as_it_was():
    frames = np.zeros((12, 32, 48, 3), np.uint8)
    frames[:, :, 24:] = [200, 40, 40]
    with av.open(io.BytesIO(mp4(frames, 10.0))) as film:
        shown = np.stack([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)])
        assert film.streams.video[0].codec_context.name == "h264"
    assert shown.shape == frames.shape
    assert np.abs(shown.astype(int) - frames).mean() < 4


def test_a_png_reads_back_as_it_was():
    picture = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    with av.open(io.BytesIO(png(picture))) as file:
        (frame,) = file.decode(video=0)
    assert np.array_equal(frame.to_ndarray(format="rgb24"), picture)


def test_small_pictures_grow_and_large_ones_shrink():
    assert enlarged(np.zeros((2, 96, 96, 3), np.uint8)).shape[1] == 192
    assert enlarged(np.zeros((2, 960, 1280, 3), np.uint8)).shape[1] == 240


def test_every_picture_of_the_page_is_a_picture(page):
    for uri in Page(page).fetched:
        kind, content = uri.split(";base64,")
        head = base64.b64decode(content)[:12]
        assert head[1:4] == b"PNG" if kind == "data:image/png" else head[4:8] == b"ftyp"


def test_a_run_well_below_the_best_is_red_and_its_equal_green():
    (bars,) = figures.success_rates({"a": Rate(18, 20), "b": Rate(16, 20), "c": Rate(2, 20)}).spec["data"]
    assert bars["y"] == ["c", "b", "a"]
    assert bars["marker"]["color"] == [figures.BAD, figures.GOOD, figures.GOOD]


def test_the_training_band_holds_nine_tenths_of_the_training():
    _, (low, _, high) = motion_figures.training_band(TRAIN)
    states = np.stack([episode.states for episode in TRAIN.episodes])
    inside = (low <= states) & (states <= high)
    assert inside.mean() == pytest.approx(0.9, abs=0.05)


def test_a_robot_without_a_gripper_has_no_gripper_figure():
    wheels = replace(TRAIN, joint_names=("a", "b", "c", "d", "e", "f"))
    assert motion_figures.gripper_histogram(wheels, {}) is None
