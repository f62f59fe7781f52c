"""The notebook for rented GPUs, run from top to bottom on a small dataset, and what it does with the Hub."""

from pathlib import Path
from unittest import mock

import nbformat
import pytest
from nbclient import NotebookClient

from regrasp.data.checkpoint import pretrained_folder
from regrasp.data.contract import read_contract
from regrasp.data.journal import read_journal

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "train_on_colab.ipynb"
SETTINGS = {
    "POLICY": "keypoint",
    "EPOCHS": "0.5",
    "BATCH": "16",
    "HOLD_OUT": "1",
    "RUN": "run",
    "OPTIONS": "--policy.image_size=32 --policy.channels=[4,4,4] --policy.hidden=32",
    "HUB_REPO": "me/brain",
}


def cells():
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def executed(demonstrations, tmp_path_factory):
    """The folder it ran in, and what each cell printed."""
    here, book = tmp_path_factory.mktemp("notebook"), cells()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (SETTINGS | {"DATASET": str(demonstrations)}).items():
            patch.setenv(f"REGRASP_{name}", value)
        for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(here / name))
        patch.setenv("HF_TOKEN", "")
        NotebookClient(book, timeout=600, resources={"metadata": {"path": str(here)}}).execute()
    outputs = [cell.outputs for cell in book.cells if cell.cell_type == "code"]
    return here, ["".join(one.get("text", "") for one in shown) for shown in outputs]


def test_it_is_kept_without_outputs_and_tokens():
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in cells().cells)
    assert "hf_" not in NOTEBOOK.read_text()


def test_the_checkpoint_that_any_verb_would_take_is_kept_with_its_contract(executed):
    here, told = executed
    kept = pretrained_folder(here / "run").resolve()
    assert f"kept: {kept}\n" in "".join(told)
    assert set(read_contract(kept).instructions) == {"Grab the brain"}
    assert len(read_journal(here / "run").evaluations) >= 3


def test_audit_plan_figures_and_next_commands_are_shown(executed):
    told = "".join(executed[1])
    for part in ("checks found nothing", "steps per epoch", "held_out_action_error", "regrasp preflight /",
                 "regrasp diagnose /"):  # fmt: skip
        assert part in told


def test_without_a_token_nothing_is_pushed(executed):
    assert "not pushed: HUB_REPO or HUB_TOKEN is empty." in "".join(executed[1])


def test_with_a_token_checkpoint_and_contract_are_pushed_into_a_private_repository(capsys):
    (push,) = [cell.source for cell in cells().cells if "push" in cell.metadata.get("tags", ())]
    with mock.patch("huggingface_hub.HfApi") as hub:
        exec(push, {"HUB_REPO": "me/brain", "HUB_TOKEN": "secret", "BEST": Path("best")})
    hub.assert_called_once_with(token="secret")
    hub().create_repo.assert_called_once_with("me/brain", private=True, exist_ok=True)
    sent = hub().upload_folder.call_args.kwargs
    assert (sent["repo_id"], sent["folder_path"]) == ("me/brain", Path("best"))
    assert "secret" not in capsys.readouterr().out
