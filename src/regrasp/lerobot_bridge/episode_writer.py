"""Writes episodes through LeRobot's own dataset API so that a kill loses at most the episode in progress.

LeRobot keeps its parquet files open until `finalize`; a process killed before that leaves files without a footer,
and every episode in them is lost. Here each episode is finalised as it ends, in a folder beside the dataset
(`NAME.recording`), and `finish` merges what is there, by LeRobot's merge, into a dataset of ordinary file sizes,
which gets its name only when it is whole.
"""

import errno
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lerobot.configs.video import RGBEncoderConfig
from lerobot.datasets import LeRobotDataset
from lerobot.datasets.dataset_tools import merge_datasets
from lerobot.utils.feature_utils import build_dataset_frame, hw_to_dataset_features
from numpy.typing import NDArray

from regrasp.data.atomic import rename_whole, write_text
from regrasp.data.unfinished import read_notes
from regrasp.errors import DatasetError
from regrasp.lerobot_bridge.quiet import quiet
from regrasp.lerobot_bridge.statistics import recompute_statistics

VIDEO: dict[str, Any] = {"vcodec": "h264", "preset": "veryfast", "crf": 18, "g": 2}
"""H.264 with a key frame every second frame, as LeRobot's AV1 has it, so any frame is near a key frame. An episode of
120 frames of two 96x96 cameras was on disk in 0.77 s with H.264 and in 0.95 s with LeRobot's default AV1, each
finalised by itself (busy machine, preset ultrafast)."""

NOTES = "finished.json"
"""What was noted of each finished episode."""

FLIGHT = "flight"
"""Folder of a recording part, and of the finished rollouts' `regrasp/`, with flight records."""

UNBOUNDED = 0
"""Pictures that may wait for the encoder. With LeRobot's 30 the loop waits for it when a busy machine is behind, and
after a tenth of a second the picture is left out, which puts the video out of step with the table."""

LEAST_FREE_BYTES = 1_000_000
"""With less than this left, a failed encoder is taken for a full disk."""


def features_of(robot: Any) -> dict[str, dict[str, Any]]:
    """LeRobot's feature table of a robot's observations and actions, cameras as video."""
    return {
        **hw_to_dataset_features(robot.action_features, "action", use_video=True),
        **hw_to_dataset_features(robot.observation_features, "observation", use_video=True),
    }


def repo_id_of(folder: Path) -> str:
    """The repository id that a local dataset goes by, from its folder's name."""
    return f"local/{folder.name}"


class EpisodeWriter:
    """Episodes of one process, in one recording folder; picks up where a killed process stopped."""

    def __init__(
        self, folder: Path, *, fps: int, features: dict[str, dict[str, Any]], robot_type: str
    ) -> None:
        self.folder = folder
        self.features = features
        self._notes = folder / NOTES
        self._encoding: dict[str, Any] = {
            "streaming_encoding": True,
            "encoder_threads": 1,
            "encoder_queue_maxsize": UNBOUNDED,
            "rgb_encoder": RGBEncoderConfig(**VIDEO),
        }
        self._broken = False
        root = folder / "dataset"
        with quiet():
            if self._restore(root):
                self._dataset = LeRobotDataset.resume(repo_id_of(folder), root=root, **self._encoding)
            else:
                self._clear()
                self._dataset = LeRobotDataset.create(
                    repo_id_of(folder), fps, features, root=root, robot_type=robot_type, **self._encoding
                )

    def _clear(self) -> None:
        """An empty folder, but for the last seconds of episodes that were broken off."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.iterdir():
            if left.name == FLIGHT:
                continue
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink()

    @property
    def episodes(self) -> int:
        """Episodes that are safely on disk."""
        return len(self.notes)

    @property
    def notes(self) -> list[dict[str, Any]]:
        """What was noted of each finished episode, in order."""
        return read_notes(self._notes)

    def add(self, observation: Mapping[str, Any], action: Mapping[str, Any], task: str) -> None:
        """Append one frame: `NAME.pos` values and images by camera name, as the robot gives them."""
        frame: dict[str, Any] = {
            **build_dataset_frame(self.features, dict(observation), prefix="observation"),
            **build_dataset_frame(self.features, dict(action), prefix="action"),
        }
        self._dataset.add_frame({**frame, "task": task})

    def discard(self) -> None:
        """Drop the episode in progress."""
        if self._dataset.has_pending_frames():
            self._dataset.clear_episode_buffer()

    def save(self, note: dict[str, Any]) -> None:
        """Put the episode in progress on disk, with a note of JSON values.

        Raises:
            OSError: The disk is full; episodes saved before are untouched.
        """
        self._broken = True  # until the episode is whole, nothing more can be done with LeRobot's writer
        with quiet():
            try:
                self._dataset.save_episode()
                self._dataset.finalize()
            except RuntimeError as error:  # LeRobot's encoder thread, which hides what the system said
                if shutil.disk_usage(self.folder).free < LEAST_FREE_BYTES:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
                raise
            self._keep([*self.notes, note])
            self._dataset = LeRobotDataset.resume(
                repo_id_of(self.folder), root=self._dataset.root, **self._encoding
            )
        self._broken = False

    def close(self) -> None:
        """Stop writing; what is saved stays."""
        if self._broken:
            return
        with quiet():
            self.discard()
            self._dataset.finalize()

    def _keep(self, notes: list[dict[str, Any]]) -> None:
        """Set the present metadata and the notes aside as the last good state; the renaming of `good` finishes it."""
        good, fresh, old = (self.folder / f"meta.{name}" for name in ("good", "fresh", "old"))
        for left in (fresh, old):
            shutil.rmtree(left, ignore_errors=True)
        shutil.copytree(self._dataset.root / "meta", fresh / "meta")
        write_text(fresh / self._notes.name, json.dumps(notes))
        if good.exists():
            good.rename(old)
        fresh.rename(good)
        shutil.rmtree(old, ignore_errors=True)
        write_text(self._notes, json.dumps(notes))

    def _restore(self, root: Path) -> bool:
        """Bring a folder left by a killed process back to its last finished episode; False when there is none."""
        good, old = self.folder / "meta.good", self.folder / "meta.old"
        if (
            not good.exists() and old.exists()
        ):  # killed between the two renamings: the fresh one was whole by then
            (self.folder / "meta.fresh").rename(good)
        if not good.exists():
            return False
        write_text(self._notes, (good / self._notes.name).read_text())
        info = json.loads((good / "meta" / "info.json").read_text())
        shutil.rmtree(root / "meta", ignore_errors=True)
        shutil.copytree(good / "meta", root / "meta")
        shutil.rmtree(root / "images", ignore_errors=True)
        for file in [*root.glob("data/*/*.parquet"), *root.glob("videos/*/*/*.mp4")]:
            if _file_number(file, info["chunks_size"]) >= info["total_episodes"]:
                file.unlink()
        return True


def finish(
    folders: Sequence[Path],
    into: Path,
    annotate: Callable[[Path, list[Path]], None] = lambda _into, _from: None,
) -> None:
    """Merge the recordings in `folders`, in order, into the dataset `into`, which appears whole.

    Args:
        folders: What `EpisodeWriter` wrote.
        into: New folder.
        annotate: May add files to the merged dataset before it gets its name.

    Raises:
        DatasetError: `into` exists already.
    """
    if into.exists():
        raise DatasetError(
            f"{into} exists already; expected a new folder. Choose another name or delete it first."
        )
    partial = into.with_name(f"{into.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with quiet():
        parts = [
            LeRobotDataset(repo_id_of(folder), root=folder / "dataset", video_backend="pyav")
            for folder in folders
        ]
        merge_datasets(parts, output_repo_id=repo_id_of(into), output_dir=partial)
    recompute_statistics(partial)  # LeRobot's quantiles are means of those of the episodes
    annotate(partial, list(folders))
    rename_whole(partial, into)


def as_joint_dict(values: NDArray[np.float64], joints: Sequence[str]) -> dict[str, float]:
    """Joint values by LeRobot's keys."""
    return {f"{joint}.pos": float(value) for joint, value in zip(joints, values, strict=True)}


def _file_number(file: Path, chunks_size: int) -> int:
    """Place of `chunk-A/file-B` in the order in which LeRobot makes files; each holds one episode here."""
    chunk, number = (int(part.split("-")[1]) for part in (file.parent.name, file.stem))
    return chunk * chunks_size + number
