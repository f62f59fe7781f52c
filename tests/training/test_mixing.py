"""What share of a training each part of a merged dataset gets."""

from dataclasses import replace

import pytest
from test_plan import recordings

from regrasp.data.provenance import Part, parts_of, write_parts
from regrasp.errors import DatasetError
from regrasp.training.mixing import part_shares
from regrasp.training.plan import plan

OLD, NEW = 241, 50
FRAMES = 29_100
"""Of 291 episodes: 100 each."""


@pytest.fixture(scope="module")
def recorded():
    return recordings(FRAMES, OLD + NEW)


@pytest.fixture
def merged(recorded, tmp_path):
    def of_weight(weight):
        write_parts(
            tmp_path,
            [
                Part(name="old", source="a", content="0", first_episode=0, episodes=OLD),
                Part(name="new", source="b", content="1", first_episode=OLD, episodes=NEW, weight=weight),
            ],
        )
        return replace(recorded, path=tmp_path)

    return of_weight


def reasons(planned):
    return {one.what: one for one in planned.reasons}


def test_fifty_new_episodes_of_weight_four_get_nearly_half_the_samples(merged):
    old, new = part_shares(merged(4.0), (), 8 * FRAMES)
    assert old.share + new.share == pytest.approx(1)
    assert new.share == pytest.approx(4 * NEW / (4 * NEW + OLD), rel=1e-9)
    assert new.passes == pytest.approx(4 * old.passes)


def test_samples_are_shared_out_without_rest(merged):
    shares = part_shares(merged(4.0), (3, 250), 1000)
    assert sum(part.passes * part.frames for part in shares) == pytest.approx(1000)
    assert [part.episodes for part in shares] == [OLD - 1, NEW - 1]


def test_equal_weights_show_each_frame_alike(merged):
    old, new = part_shares(merged(1.0), (), 8 * FRAMES)
    assert old.passes == pytest.approx(8)
    assert new.passes == pytest.approx(8)


def test_the_plan_tells_share_and_effective_epochs_of_each_part(merged):
    planned = plan(merged(4.0), policy="smolvla", epochs=6.0, hold_out=0)
    said = reasons(planned)
    assert said["from new"].value == "45.4%"
    assert said["from new"].why.startswith("weight 4: ")
    assert said["from new"].why.endswith("frames of 50 episodes, each shown 15.84 times")
    assert planned.to_json()["parts"][0]["passes"] == pytest.approx(3.96, abs=0.01)


def test_the_plan_warns_of_a_part_that_is_shown_too_often(merged):
    assert any("Each frame of new" in text for text in plan(merged(4.0), policy="smolvla", epochs=6).warnings)
    assert not any("Each frame of" in text for text in plan(merged(1.5), policy="smolvla", epochs=6).warnings)


def test_a_dataset_that_was_not_merged_has_no_parts(recorded, tmp_path):
    assert part_shares(replace(recorded, path=tmp_path), (), 100) == ()


def test_weights_for_fewer_episodes_than_there_are_are_refused(recorded, tmp_path):
    write_parts(tmp_path, [Part(name="old", source="a", content="0", first_episode=0, episodes=2)])
    with pytest.raises(DatasetError) as raised:
        parts_of(replace(recorded, path=tmp_path))
    assert str(raised.value) == (
        f"Found weights for 2 episodes in {tmp_path}/meta/regrasp_parts.json, and an episode 290; expected what regrasp "
        "merge wrote for these episodes; try to merge the parts again, or delete the file to draw all frames alike."
    )
