"""Where a dataset lies: a folder, LeRobot's own cache, or the Hub; in that order."""

import os
import re
from pathlib import Path

from regrasp.errors import DatasetError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def locate(path_or_repo_id: str | Path, video: bool) -> tuple[Path, str | None]:
    """The dataset's folder, and its Hub id where it came by one."""
    folder = Path(path_or_repo_id).expanduser()
    if folder.is_dir():
        return (folder if folder.name else folder.resolve()), None
    name = str(path_or_repo_id)
    if folder.exists():
        raise DatasetError(
            f"Found a file at {folder}; expected the folder of a LeRobot dataset; "
            "try the folder that holds 'meta'."
        )
    if not _HUB_ID.fullmatch(name):
        raise DatasetError(
            f"Found no dataset at {folder}; expected a folder with meta/info.json, or a Hub id such as "
            "'owner/name'; try the path that was given to lerobot-record as --dataset.root."
        )
    cached = _lerobot_home() / name
    return (cached, name) if cached.is_dir() else (_download(name, video), name)


def _lerobot_home() -> Path:
    """Where LeRobot keeps datasets recorded without a root (`lerobot.utils.constants`)."""
    huggingface = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    return Path(os.environ.get("HF_LEROBOT_HOME", huggingface / "lerobot"))


def _download(repo_id: str, video: bool) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as error:
        raise DatasetError(
            f"Found no folder '{repo_id}', and no huggingface_hub to fetch it from the Hub; expected either; "
            "try 'pip install huggingface_hub'."
        ) from error
    wanted = ["meta/*", "data/*", "regrasp/*", *(["videos/*"] if video else [])]
    try:
        return Path(snapshot_download(repo_id, repo_type="dataset", allow_patterns=wanted))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise DatasetError(
            f"Found no folder '{repo_id}', and the Hub did not give a dataset of that name "
            f"({type(error).__name__}); expected either; try the path of the folder, or check the name and "
            "the network."
        ) from error
