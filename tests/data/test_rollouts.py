"""Outcomes and ticks: what is written is read; what is missing or broken is told."""

from dataclasses import fields, replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from regrasp.data.rollouts import (
    Deployment,
    Outcome,
    Ticks,
    read_outcomes,
    read_ticks,
    write_outcomes,
    write_ticks,
)
from regrasp.errors import DatasetError

OUTCOMES = (
    Outcome(0, True, 1.0, 4.2, 17, {"object_x_m": 0.2, "object_yaw_deg": -30.0}, "physics"),
    Outcome(1, None, 0.5, 9.0, None, {}, "person"),
)
DEPLOYMENT = Deployment("Grab the brain", ("swapped-cameras",), "runs/last", "twin", {"area": "6in"})


def ticks(rows=5, episode=0):
    rng = np.random.default_rng(rows)
    whole = np.arange(rows)
    inference = np.where(whole % 2, np.nan, 4.0)
    return Ticks(
        np.full(rows, episode),
        whole,
        whole / 30,
        inference,
        whole // 2,
        whole % 2,
        rng.normal(size=(rows, 6)),
        rng.normal(size=(rows, 6)),
        whole == 3,
    )


def same(one, other):
    return all(
        np.array_equal(getattr(one, f.name), getattr(other, f.name), equal_nan=f.name == "inference_ms")
        for f in fields(Ticks)
    )


def test_outcomes_and_deployment_survive_the_disk(tmp_path):
    write_outcomes(tmp_path, OUTCOMES, DEPLOYMENT)
    assert read_outcomes(tmp_path) == (OUTCOMES, DEPLOYMENT)


def test_ticks_survive_the_disk(tmp_path):
    write_ticks(tmp_path, ticks())
    read = read_ticks(tmp_path)
    assert read is not None
    assert same(read, ticks())
    assert read.wanted.shape == (5, 6)


def test_joined_ticks_come_apart_again_by_episode():
    joined = Ticks.joined([ticks(5, 0), ticks(3, 1)])
    assert len(joined) == 8
    assert same(joined.of(1), ticks(3, 1))


def test_ticks_of_unequal_length_are_refused():
    with pytest.raises(DatasetError) as error:
        Ticks(**{f.name: getattr(ticks(), f.name) for f in fields(Ticks)} | {"tick": np.arange(4)})
    assert "tick 4" in str(error.value)
    assert str(error.value).endswith("expected one row per turn; record again.")


def test_nothing_written_is_nothing_read(tmp_path):
    assert read_outcomes(tmp_path) is None
    assert read_ticks(tmp_path) is None


@pytest.mark.parametrize(("name", "read"), [("outcomes", read_outcomes), ("ticks", read_ticks)])
def test_a_broken_table_is_told_in_one_sentence(tmp_path, name, read):
    file = tmp_path / "regrasp" / f"{name}.parquet"
    file.parent.mkdir()
    file.write_bytes(b"half a file")
    with pytest.raises(DatasetError) as error:
        read(tmp_path)
    assert str(error.value) == (
        f"Found no readable table in {file}; expected what `regrasp rollout` writes; roll out again, or "
        "remove the "
        "file to read the rollouts unscored."
    )


def test_writing_again_replaces_the_file_and_leaves_no_other(tmp_path):
    write_outcomes(tmp_path, OUTCOMES, DEPLOYMENT)
    write_outcomes(tmp_path, OUTCOMES[:1], DEPLOYMENT)
    read = read_outcomes(tmp_path)
    assert read is not None
    assert len(read[0]) == 1
    assert [path.name for path in (tmp_path / "regrasp").iterdir()] == ["outcomes.parquet"]


def scored(rows, episode, **scores):
    reasons = np.where(np.arange(rows) == 3, "jump+limit", "")
    return replace(ticks(rows, episode), reasons=reasons, scores=scores)


def test_scores_and_reasons_survive_the_disk(tmp_path):
    write_ticks(tmp_path, scored(5, 0, stall=np.arange(5.0)))
    read = read_ticks(tmp_path)
    assert read.reasons.tolist() == ["", "", "", "jump+limit", ""]
    assert {name: values.tolist() for name, values in read.scores.items()} == {"stall": [0, 1, 2, 3, 4]}


def test_a_score_that_one_episode_lacks_is_nan_there():
    joined = Ticks.joined([scored(2, 0, stall=np.ones(2)), scored(3, 1, dark=np.zeros(3))])
    np.testing.assert_array_equal(joined.scores["stall"], [1, 1, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(joined.of(1).scores["dark"], [0, 0, 0])


def test_a_score_of_another_length_is_refused():
    with pytest.raises(DatasetError, match="score_stall 4"):
        scored(5, 0, stall=np.ones(4))


def test_files_of_older_versions_are_read_without_scores(tmp_path):
    write_ticks(tmp_path, ticks())
    read = read_ticks(tmp_path)
    assert read.reasons is None
    assert not read.scores


def test_why_an_episode_ended_and_what_the_gate_changed_survive_the_disk(tmp_path):
    closed = Outcome(0, False, ended="gate-closed", interventions={"jump": 16})
    control = Deployment("x", control={"handover": "on"})
    write_outcomes(tmp_path, [closed], control)
    (read,), deployment = read_outcomes(tmp_path)
    assert (read.ended, read.interventions) == ("gate-closed", {"jump": 16})
    assert deployment.control == {"handover": "on"}


def test_outcomes_of_older_versions_are_read(tmp_path):
    write_outcomes(tmp_path, OUTCOMES, DEPLOYMENT)
    file = tmp_path / "regrasp" / "outcomes.parquet"
    pq.write_table(pq.read_table(file).drop_columns(["ended", "interventions"]), file)
    assert read_outcomes(tmp_path) == (OUTCOMES, DEPLOYMENT)
