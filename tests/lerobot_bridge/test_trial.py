"""`plan --measure`: a few steps of the planned training tell what it will take."""

import math
import tempfile
from pathlib import Path

import pytest

from regrasp.data.dataset import read_dataset
from regrasp.lerobot_bridge.trial import STEPS, WARM, _Watch, measure_trial
from regrasp.training.plan import plan

OPTIONS = {"policy": "keypoint", "batch": 4, "hold_out": 1}


@pytest.fixture(scope="module")
def measured(demonstrations):
    planned = plan(demonstrations, **OPTIONS)
    left = set(Path(tempfile.gettempdir()).glob("regrasp-trial-*"))
    trial = measure_trial(demonstrations, "keypoint", planned)
    assert set(Path(tempfile.gettempdir()).glob("regrasp-trial-*")) == left
    return planned, trial


def test_it_takes_few_steps_and_measures_what_is_asked_of_it(measured):
    _, trial = measured
    assert trial.steps == STEPS - WARM
    for value in (trial.seconds_per_step, trial.latency_ms, trial.memory_gb):
        assert math.isfinite(value)
        assert value > 0
    assert 0.003 < trial.checkpoint_gb < 0.1  # 0.9 M parameters in 4 bytes, twice more in the optimizer


def test_the_plan_tells_hours_and_disk_from_it(measured, demonstrations):
    planned, trial = measured
    again = plan(demonstrations, **OPTIONS, trial=trial)
    assert again.steps == planned.steps
    assert again.hours == pytest.approx(planned.steps * trial.seconds_per_step / 3600)
    told = {one.what: one for one in again.reasons}
    count = math.ceil(planned.steps / planned.save_every)
    assert told["disk"].value == pytest.approx(count * trial.checkpoint_gb, abs=0.005)
    assert told["latency"].value == round(trial.latency_ms)
    assert read_dataset(demonstrations).frames == again.frames


def test_a_step_is_the_median_of_those_after_the_first_ones():
    """The first allocate memory and choose kernels."""
    watch = _Watch(times=[0.0, 5.0, 9.0, 10.0, 11.0, 13.0, 14.0])
    assert watch.per_step_s == 1.0
