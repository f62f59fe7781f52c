"""The next step that a finding proposes: data that a person or `regrasp fix` carries out."""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from regrasp.errors import DatasetError

if TYPE_CHECKING:  # the catalogue is printed without NumPy
    from regrasp.data import Dataset
    from regrasp.diagnosis.repair import Repair


@dataclass(frozen=True)
class Fix:
    """What to do, in a sentence; the command that does it where one does; and what `regrasp fix` may do."""

    summary: str
    command: str | None = None
    repair: "Repair | None" = None

    def to_json(self) -> dict[str, object]:
        """As it stands in a finding's JSON."""
        return {"summary": self.summary, "command": self.command}


def drop_episodes(dataset: "Dataset", episodes: Iterable[int]) -> str | None:
    """LeRobot's command that writes a copy without these episodes; None when nothing would be left."""
    dropped = sorted(set(episodes))
    if len(dropped) >= len(dataset.episodes):
        return None
    copy = [f"--new_repo_id={_repo_id(dataset)}_kept", f"--new_root={dataset.path}_kept"]
    return _edit(dataset, "delete_episodes", f"--operation.episode_indices={json.dumps(dropped)}", *copy)


def replace_instructions(dataset: "Dataset", wordings: Mapping[str, str]) -> str | None:
    """LeRobot's command that changes these instructions; it works in place."""
    replacements = json.dumps(dict(wordings), ensure_ascii=False)
    return _edit(dataset, "modify_tasks", f"--operation.task_replacements={replacements}")


def convert_to_v3(dataset: "Dataset") -> str:
    """LeRobot's command that converts an older dataset to v3.0; it works in place."""
    module = "python -m lerobot.scripts.convert_dataset_v21_to_v30"
    return f"{module} {shlex.join([f'--repo-id={_repo_id(dataset)}', f'--root={dataset.path}'])} --push-to-hub=false"


def require_v3(dataset: "Dataset") -> None:
    """Raise a DatasetError that offers the converter for a dataset that LeRobot's tools do not edit."""
    if dataset.version != "v3.0":
        raise DatasetError(
            f"Found a {dataset.version} dataset in {dataset.path}; expected v3.0, which alone LeRobot edits; try, on "
            f"a copy because it works in place: {convert_to_v3(dataset)}"
        )


def _edit(dataset: "Dataset", operation: str, *options: str) -> str | None:
    """One line for the shell; `lerobot_edit_dataset.py` of LeRobot 0.6.1, which edits v3.0 alone."""
    if dataset.version != "v3.0":
        return None
    source = [f"--repo_id={_repo_id(dataset)}", f"--root={dataset.path}"]
    return shlex.join(["lerobot-edit-dataset", *source, f"--operation.type={operation}", *options])


def _repo_id(dataset: "Dataset") -> str:
    return dataset.repo_id or f"local/{dataset.path.resolve().name}"
