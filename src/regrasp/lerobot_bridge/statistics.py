"""Statistics of a dataset over all its frames, as LeRobot lays them down.

LeRobot 0.6.1 computes them for each episode and averages: its quantiles of a dataset are means of the
episodes' quantiles. A joint that rests at -7 in most episodes and goes to -27 in a few has its 1 % quantile at
-7.5 then, and a policy that normalises by quantiles (pi0.5, MolmoAct2) never learns the rest. `recompute_stats`
does the same, and leaves those of the episodes as they are. Here the numbers of all frames are taken together.
"""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from lerobot.datasets.compute_stats import aggregate_stats, auto_downsample_height_width, sample_indices
from numpy.typing import NDArray

from regrasp.data import Dataset, read_dataset
from regrasp.data.episode import camera_name
from regrasp.lerobot_bridge.folders import Row, data_files, keys_of, numbers, read_info, read_rows, write_rows

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
"""LeRobot's names of the quantiles that it stores (`DEFAULT_QUANTILES`)."""

STORED = ("min", "max", "mean", "std", "count", *QUANTILES)
"""All that LeRobot stores of a feature."""

type Stats = dict[str, NDArray[np.float64]]


def recompute_statistics(root: Path, pictures_of: Collection[int] | None = ()) -> None:
    """Write `meta/stats.json` and the statistics of each episode anew.

    Args:
        root: A v3.0 dataset.
        pictures_of: Episodes whose pictures are looked at again; None for all. Those without statistics of
            their pictures always are.
    """
    info, rows = read_info(root), read_rows(root)
    for name, values in _columns(root, info).items():
        for row in rows:
            span = slice(row["dataset_from_index"], row["dataset_to_index"])
            _put(row, name, statistics_of(values[span]))
    cameras = keys_of(info, "video", "image")
    _count_pictures(root, rows, cameras, pictures_of)
    write_rows(root, rows)
    stats = {name: statistics_of(values) for name, values in _columns(root, info).items()}
    stats |= {key: _of_all(rows, key) for key in cameras if _has(rows[0], key)}
    _write(root, stats)


def statistics_of(values: NDArray[Any]) -> Stats:
    """Minimum, maximum, mean, deviation, quantiles of each column of [n, width], and n; NaN is left out.

    Example:
        >>> statistics_of(np.arange(101.0)[:, None])["q10"]
        array([10.])
    """
    numbers_ = values.astype(np.float64).reshape(len(values), -1)
    columns = [column[np.isfinite(column)] for column in numbers_.T]
    columns = [column if len(column) else np.zeros(1) for column in columns]
    stats = {
        "min": np.array([column.min() for column in columns]),
        "max": np.array([column.max() for column in columns]),
        "mean": np.array([column.mean() for column in columns]),
        "std": np.array([column.std() for column in columns]),
        "count": np.array([len(values)]),
    }
    quantiles = np.array([np.quantile(column, list(QUANTILES.values())) for column in columns])
    return {**stats, **dict(zip(QUANTILES, quantiles.T, strict=True))}


def picture_statistics(pictures: NDArray[np.uint8]) -> Stats:
    """The same of pictures [n, h, w, 3], for each colour from 0 to 1, shaped [3, 1, 1]; `count` is n.

    A picture has 256 grey levels, so that counting them gives exact numbers without a sum that overflows.
    """
    counts = np.stack([np.bincount(pictures[..., c].ravel(), minlength=256) for c in range(3)])
    levels = np.arange(256) / 255
    total = counts[0].sum()
    mean = counts @ levels / total
    variance = (counts * (levels - mean[:, None]) ** 2).sum(axis=1) / total
    present = counts > 0
    stats = {
        "min": levels[present.argmax(axis=1)],
        "max": levels[255 - present[:, ::-1].argmax(axis=1)],
        "mean": mean,
        "std": np.sqrt(variance),
    }
    reached = np.cumsum(counts, axis=1) / total
    stats |= {name: levels[(reached >= share).argmax(axis=1)] for name, share in QUANTILES.items()}
    return {
        **{name: value.reshape(3, 1, 1) for name, value in stats.items()},
        "count": np.array([len(pictures)]),
    }


def _columns(root: Path, info: Row) -> dict[str, NDArray[Any]]:
    """Every column of numbers, over all frames."""
    names = [name for name, feature in info["features"].items() if _is_number(feature["dtype"])]
    tables = [pq.read_table(path, columns=names) for path in data_files(root)]
    return {name: np.concatenate([numbers(table, name) for table in tables]) for name in names}


def _is_number(dtype: str) -> bool:
    return dtype.startswith(("float", "int", "uint", "bool"))


def _put(row: Row, feature: str, stats: Mapping[str, NDArray[Any]]) -> None:
    row |= {f"stats/{feature}/{name}": value.tolist() for name, value in stats.items()}


def _has(row: Row, feature: str) -> bool:
    """Whether a row has all statistics of a feature; LeRobot's converter of v2.1 writes no quantiles of pictures."""
    return all(row.get(f"stats/{feature}/{name}") is not None for name in STORED)


def _count_pictures(root: Path, rows: list[Row], keys: list[str], again: Collection[int] | None) -> None:
    """Put the statistics of pictures into the rows, looking only where it must."""
    wanted = [
        (row, key)
        for row in rows
        for key in keys
        if again is None or row["episode_index"] in again or not _has(row, key)
    ]
    if wanted:
        dataset = read_dataset(root)
        for row, key in wanted:
            sampled = _sampled(dataset, row["episode_index"], key)
            if sampled is not None:
                _put(row, key, picture_statistics(sampled))


def _sampled(dataset: Dataset, number: int, key: str) -> NDArray[np.uint8] | None:
    """Pictures of one episode, as many and as small as LeRobot takes them; None for a depth camera."""
    camera = dataset.episodes[number].cameras.get(camera_name(key))
    if camera is None:
        return None
    pictures = camera.frames(sample_indices(camera.length))
    small = [auto_downsample_height_width(picture.transpose(2, 0, 1)) for picture in pictures]
    return np.stack(small).transpose(0, 2, 3, 1)


def _of_all(rows: list[Row], key: str) -> Stats:
    """Of a camera over all episodes: by LeRobot's own aggregation, since the pictures are not kept."""
    parts = [
        {name: np.array(row[f"stats/{key}/{name}"], dtype=np.float64) for name in STORED} for row in rows
    ]
    return aggregate_stats([{key: part} for part in parts])[key]


def _write(root: Path, stats: Mapping[str, Stats]) -> None:
    path = root / "meta" / "stats.json"
    old = json.loads(path.read_bytes()) if path.is_file() else {}
    new = {name: {key: value.tolist() for key, value in values.items()} for name, values in stats.items()}
    path.write_text(json.dumps({**old, **new}, indent=4), encoding="utf-8")
