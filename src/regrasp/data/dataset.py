"""LeRobot datasets, v3.0 and v2.1, from a folder or the Hub into plain arrays; without lerobot or torch.

Tables are read whole, column by column: 100,000 frames take a fraction of a second. Pictures are only
located, and decoded when a camera is asked for them.
"""

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import TWIN_ROBOT
from regrasp.data.declared import Declared, declare
from regrasp.data.episode import Camera, Episode, FrameSource, camera_name
from regrasp.data.files import Json, wrong
from regrasp.data.locate import locate
from regrasp.data.metadata import ACTION, STATE, Info, Layout, episode_rows, read_stats, read_tasks
from regrasp.data.statistics import pooled_statistics
from regrasp.data.tables import INDEX_COLUMNS, Table
from regrasp.data.video import ImageColumn, VideoSegment

type Strings = Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Demonstrations of one robot.

    `camera_names` lists every camera that the dataset declares; one that cannot be looked at is in
    `unavailable` with the reason, and is absent from the episodes. Episodes whose video file is not there are
    in `without_video`, by camera. `tasks` are instructions by task index. `declared` is None where not
    all episodes were read. `stats` are those of the file, by feature and statistic.
    """

    path: Path
    fps: float
    joint_names: tuple[str, ...]
    episodes: tuple[Episode, ...]
    tasks: tuple[str, ...]
    camera_names: tuple[str, ...] = ()
    version: str = "v3.0"
    repo_id: str | None = None
    robot_type: str | None = None
    action_names: tuple[str, ...] = ()
    stats: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(default_factory=dict[str, Any])
    unavailable: Strings = field(default_factory=dict[str, str])
    declared: Declared | None = None
    without_video: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])

    @property
    def is_twin(self) -> bool:
        """Whether the simulated arm recorded it."""
        return self.robot_type == TWIN_ROBOT

    @property
    def frames(self) -> int:
        """Number of frames in all episodes."""
        return sum(episode.length for episode in self.episodes)

    @property
    def names_of_actions(self) -> tuple[str, ...]:
        """The joints that are commanded: as a rule, those that are measured."""
        return self.action_names or self.joint_names

    @property
    def name(self) -> str:
        """What to call it in a sentence: its Hub id or the folder's name."""
        return self.repo_id or self.path.name

    @cached_property
    def states(self) -> NDArray[np.float64]:
        """Measured joints of all episodes, float64 [frames, J]."""
        return np.concatenate([episode.states for episode in self.episodes])

    @cached_property
    def actions(self) -> NDArray[np.float64]:
        """Commanded joints of all episodes, float64 [frames, J]."""
        return np.concatenate([episode.actions for episode in self.episodes])

    def map_episodes(
        self, change: Callable[[Episode], Episode], numbers: Collection[int] | None = None
    ) -> "Dataset":
        """A copy in which `change` was applied to the episodes of these numbers, or to all.

        Sizes and the joints' statistics, where the dataset has them, are taken anew: it is as if it had been
        recorded like that.
        """
        episodes = tuple(
            change(episode) if numbers is None or episode.index in numbers else episode
            for episode in self.episodes
        )
        changed = replace(self, episodes=episodes, declared=self.declared and declare(episodes))
        return replace(changed, stats={**self.stats, **changed._joint_statistics()})

    def _joint_statistics(self) -> dict[str, dict[str, NDArray[np.float64]]]:
        """Of those of state and action that have statistics now."""
        columns = {STATE: self.states, ACTION: self.actions}
        return {name: pooled_statistics(column) for name, column in columns.items() if name in self.stats}

    def as_recorded(self) -> "Dataset":
        """A copy that declares its sizes and the statistics of its joints, as a recorder writes them."""
        known = {STATE: pooled_statistics(self.states), ACTION: pooled_statistics(self.actions)}
        return replace(self, declared=declare(self.episodes), stats={**self.stats, **known})


def read_dataset(
    path_or_repo_id: str | Path, *, episodes: Collection[int] | None = None, video: bool = True
) -> Dataset:
    """The dataset in a folder, in LeRobot's own cache, or on the Hub; in that order.

    With `video=False`, and for videos that are not there, cameras are unavailable; tables are read all
    the same.
    """
    folder, repo_id = locate(path_or_repo_id, video)
    info = Info.read(folder)
    layout = Layout(folder, info, episode_rows(folder, info, episodes))
    table = Table.read(layout)
    tasks = read_tasks(folder, info)
    cameras = _CameraFinder(layout, table, video)
    return Dataset(
        path=folder,
        fps=info.fps,
        joint_names=info.names(STATE),
        episodes=tuple(_episodes(layout, table, tasks, cameras)),
        tasks=tasks,
        camera_names=tuple(camera_name(key) for key in info.camera_keys),
        version=info.version,
        repo_id=repo_id,
        robot_type=info.robot_type,
        action_names=info.names(ACTION),
        stats=read_stats(folder),
        unavailable=cameras.unavailable,
        declared=_declared(layout, table) if episodes is None else None,
        without_video={name: tuple(numbers) for name, numbers in cameras.without_video.items()},
    )


def _declared(layout: Layout, table: Table) -> Declared:
    """Sizes as the metadata gives them; what is no whole number counts as not said."""
    listed = {int(row["episode_index"]) for row in layout.rows}
    numbers, counts = np.unique(table.columns["episode_index"].astype(np.float64), return_counts=True)
    numbers, counts = numbers[np.isfinite(numbers)], counts[np.isfinite(numbers)]
    return Declared(
        episodes=_whole(layout.info.raw.get("total_episodes")),
        frames=_whole(layout.info.raw.get("total_frames")),
        lengths={
            int(row["episode_index"]): length
            for row in layout.rows
            if (length := _whole(row.get("length"))) is not None
        },
        unlisted={int(n): int(rows) for n, rows in zip(numbers, counts, strict=True) if int(n) not in listed},
        video_s={camera_name(key): layout.video_lengths_s(key) for key in layout.info.camera_keys},
    )


def _whole(value: object) -> int | None:
    return value if type(value) is int else None


def content_hash(dataset: Dataset) -> str:
    """SHA-256 of what a policy learns from: states, actions, instructions and episode lengths.

    The same for a dataset in memory, on disk in either version, and under another name.
    """
    digest = hashlib.sha256()
    for episode in dataset.episodes:
        digest.update(f"{episode.length}:{'|'.join(episode.tasks)}\n".encode())
        digest.update(np.ascontiguousarray(episode.states, dtype="<f4").tobytes())
        digest.update(np.ascontiguousarray(episode.actions, dtype="<f4").tobytes())
    return digest.hexdigest()


def _episodes(
    layout: Layout, table: Table, tasks: tuple[str, ...], cameras: "_CameraFinder"
) -> Iterator[Episode]:
    states = table.columns[STATE].astype(np.float64)
    actions = table.columns[ACTION].astype(np.float64)
    timestamps = table.columns["timestamp"].astype(np.float64)
    task_indices = _task_indices(table, tasks, layout)
    names = layout.info.names(STATE)
    known = {STATE, ACTION, *INDEX_COLUMNS}
    others = {name: column for name, column in table.columns.items() if name not in known}
    for row in layout.rows:
        number = int(row["episode_index"])
        rows = table.rows_of(number)
        if rows.start == rows.stop:
            wrong(layout.folder / "data", f"no rows of episode {number}", "some, because meta/ lists it")
        yield Episode(
            index=number,
            fps=layout.info.fps,
            timestamps=timestamps[rows],
            states=states[rows],
            actions=actions[rows],
            joint_names=names,
            task_indices=task_indices[rows],
            tasks=tuple(tasks[index] for index in np.unique(task_indices[rows])),
            cameras=cameras.of_episode(row, rows),
            extras={name: column[rows] for name, column in others.items()},
        )


def _task_indices(table: Table, tasks: tuple[str, ...], layout: Layout) -> NDArray[np.int64]:
    numbers = table.columns["task_index"]
    values = numbers.astype(np.float64)
    valid = (values >= 0) & (values < len(tasks))
    if not valid.all():
        wrong(
            layout.folder / "data",
            f"task_index {numbers[~valid][0]}",
            f"one of the {len(tasks)} instructions in meta/tasks",
        )
    return numbers.astype(np.int64)


class _CameraFinder:
    """Finds the pictures of each episode, and remembers why a camera has none."""

    def __init__(self, layout: Layout, table: Table, video: bool) -> None:
        self._layout, self._table, self._video = layout, table, video
        self._exists: dict[Path, bool] = {}
        self.unavailable: dict[str, str] = {}
        self.without_video: dict[str, list[int]] = {}

    def of_episode(self, row: Json, rows: slice) -> dict[str, Camera]:
        cameras: dict[str, Camera] = {}
        for key in self._layout.info.camera_keys:
            length = rows.stop - rows.start
            source = (
                self._video_of(key, row, length)
                if self._layout.info.is_video(key)
                else self._images_of(key, rows)
            )
            if source is not None:
                height, width = self._layout.info.picture_size(key)
                fps = self._layout.info.fps
                cameras[camera_name(key)] = Camera(key, length, height, width, fps, source)
        return cameras

    def _video_of(self, key: str, row: Json, length: int) -> FrameSource | None:
        if not self._video:
            self.unavailable[camera_name(key)] = "videos were not to be read"
            return None
        path = self._layout.video_file(key, row)
        if path not in self._exists:
            self._exists[path] = path.is_file()
        if not self._exists[path]:
            name = camera_name(key)
            self.unavailable.setdefault(name, f"no file {os.path.relpath(path, self._layout.folder)}")
            self.without_video.setdefault(name, []).append(int(row["episode_index"]))
            return None
        return VideoSegment(path, self._layout.video_start_s(key, row), length, self._layout.info.fps)

    def _images_of(self, key: str, rows: slice) -> FrameSource | None:
        if not self._video:
            self.unavailable[camera_name(key)] = "pictures were not to be read"
            return None
        first = rows.start
        path = self._table.files[self._table.file_of_row[first]]
        return ImageColumn(path, key, int(self._table.row_in_file[first]), rows.stop - first)
