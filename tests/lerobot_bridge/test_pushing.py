"""What goes to the Hub after a training, with a Hub that notes what it is given."""

import json

import httpx
import pytest
from huggingface_hub import HfApi
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.processor import DataProcessorPipeline

from regrasp.errors import RegraspError
from regrasp.lerobot_bridge.training import resume, train

TINY = ["--policy.image_size=32", "--policy.channels=[4,4,4]", "--policy.hidden=32"]
PUSHED = [*TINY, "--policy.push_to_hub=true", "--policy.repo_id=someone/brain"]


@pytest.fixture
def hub(monkeypatch):
    """Repository and name of each file that is uploaded; LeRobot's own files are left out."""
    uploaded = []
    monkeypatch.setattr(PreTrainedPolicy, "push_model_to_hub", lambda *_, **__: None)
    monkeypatch.setattr(DataProcessorPipeline, "push_to_hub", lambda *_, **__: None)

    def upload(_hub, *, path_or_fileobj, path_in_repo, repo_id, commit_message):
        uploaded.append((repo_id, path_in_repo, json.loads(path_or_fileobj.read_text())["instructions"]))

    monkeypatch.setattr(HfApi, "upload_file", upload)
    return uploaded


def run(demonstrations, out, options=PUSHED):
    return train(demonstrations, out, steps=2, batch=4, hold_out=0, options=options)


def test_the_contract_goes_where_the_policy_goes(demonstrations, tmp_path, hub):
    done = run(demonstrations, tmp_path / "run")
    assert [(repository, name) for repository, name, _ in hub] == [("someone/brain", "regrasp.json")]
    assert list(hub[0][2]) == list(done.contract.instructions)


def test_nothing_goes_there_that_was_not_asked_for(demonstrations, tmp_path, hub):
    run(demonstrations, tmp_path / "run", options=TINY)
    assert not hub


def test_a_hub_that_refuses_costs_nothing(demonstrations, tmp_path, hub, monkeypatch):
    def refuse(*_, **__):
        raise httpx.ConnectError("no network")

    monkeypatch.setattr(HfApi, "upload_file", refuse)
    done = run(demonstrations, tmp_path / "run")
    assert any(
        "contract was not pushed to someone/brain (ConnectError)" in note for note in done.journal.notes
    )
    monkeypatch.setattr(PreTrainedPolicy, "push_model_to_hub", refuse)
    with pytest.raises(RegraspError, match="Training stopped: no network"):
        run(demonstrations, tmp_path / "other")
    assert resume(tmp_path / "other").steps == 2
