"""Options for LeRobot's training, however they are typed."""

from fnmatch import fnmatch

import pytest
from lerobot.configs.policies import PreTrainedConfig
from sound_dataset import sound_dataset

from regrasp.errors import UsageError
from regrasp.lerobot_bridge import train_options
from regrasp.lerobot_bridge.keeping import Progress
from regrasp.lerobot_bridge.train_options import arguments_for, assigned, is_folder, starting_statistics
from regrasp.lerobot_bridge.training import train
from regrasp.training.plan import plan
from regrasp.training.policies import BASES, KINDS


def test_a_word_without_a_name_is_refused():
    assert assigned(["--seed", "3", "--a", "--b=c=d"]) == {"--seed": "3", "--a": "true", "--b": "c=d"}
    with pytest.raises(UsageError, match="Found '5' among LeRobot's options; expected --name=value"):
        assigned(["--steps=4", "5"])


def test_a_folder_with_the_name_of_a_type_does_not_take_its_place(tmp_path, monkeypatch):
    """`--out act` leaves such a folder behind; what is planned and what is trained stay the same thing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "act").mkdir()
    data = sound_dataset(0, 3)
    assert "--policy.type=act" in arguments_for(
        data, plan(data, policy="act"), policy="act", seed=0, options=[]
    )
    assert is_folder("./act")
    assert not is_folder("")


def test_a_checkpoint_on_the_hub_keeps_its_statistics_as_one_in_a_folder_does(trained, monkeypatch):
    asked = []

    def download(name, allow_patterns):
        asked.append((name, allow_patterns))
        if name == "someone/gone":
            raise FileNotFoundError(name)
        return trained.checkpoint

    monkeypatch.setattr(train_options, "snapshot_download", download)
    there, here = starting_statistics("someone/act-brain"), starting_statistics(str(trained.checkpoint))
    assert there.normalisation_digest == here.normalisation_digest
    assert starting_statistics("someone/gone") is None
    assert [starting_statistics(name) for name in ("act", *BASES.values())] == [None] * (1 + len(BASES))
    assert [name for name, _ in asked] == ["someone/act-brain", "someone/gone"]
    assert not any(fnmatch("model.safetensors", pattern) for pattern in asked[0][1])


def test_every_type_that_is_planned_for_is_lerobot_s(trained):
    """`trained` has let LeRobot know the small policy's plugin."""
    assert set(KINDS) <= set(PreTrainedConfig.get_known_choices())


@pytest.mark.parametrize("words", [("--policy.type=act",), ("--policy.type", "act")])
def test_the_plan_is_for_what_lerobot_is_told_to_train(demonstrations, tmp_path, words):
    options = [*words, "--batch_size", "4", "--no_such_option=1"]
    notes = []
    with pytest.raises(UsageError, match="no_such_option"):
        train(
            demonstrations,
            tmp_path / "run",
            epochs=1,
            options=options,
            progress=Progress(on_note=notes.append),
        )
    assert any("are few for act from scratch" in line and "steps of 4" in line for line in notes)


def test_two_ways_to_hold_episodes_out_are_one_too_many(demonstrations, tmp_path):
    with pytest.raises(UsageError, match=r"Found both --hold-out and --dataset\.eval_split"):
        train(demonstrations, tmp_path / "run", hold_out=1, options=["--dataset.eval_split=0.5"])
