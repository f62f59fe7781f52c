"""Writes datasets to disk in LeRobot's layouts, without LeRobot: what the reader must read."""

import contextlib
import json
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

LEROBOT_AV1 = {"g": "2", "crf": "30", "preset": "12"}


def write_v3(dataset, folder, *, codec="libsvtav1", video=True, episodes_per_file=4, task_column="task"):
    """The v3.0 layout: several episodes in each table and video. `video=False` stores pictures in the table."""
    (folder / "meta" / "episodes" / "chunk-000").mkdir(parents=True)
    _write_json(folder / "meta" / "info.json", _info(dataset, "v3.0", video))
    if dataset.stats:
        _write_json(folder / "meta" / "stats.json", _statistics(dataset))
    tasks = {"task_index": list(range(len(dataset.tasks))), task_column: list(dataset.tasks)}
    pq.write_table(pa.table(tasks), folder / "meta" / "tasks.parquet")
    rows = []
    for file, group in enumerate(_groups(dataset.episodes, episodes_per_file)):
        _write_table(folder / f"data/chunk-000/file-{file:03d}.parquet", dataset, group, video)
        starts = _write_videos(folder, dataset, group, file, codec) if video else {}
        rows.extend(_episode_row(dataset, episode, file, starts) for episode in group)
    pq.write_table(pa.Table.from_pylist(rows), folder / "meta/episodes/chunk-000/file-000.parquet")
    return folder


def write_v21(dataset, folder, *, codec="libx264", video=True):
    """The v2.1 layout: one table and one video for each episode, metadata in lines of JSON."""
    (folder / "meta").mkdir(parents=True)
    _write_json(folder / "meta" / "info.json", _info(dataset, "v2.1", video))
    _write_lines(
        folder / "meta" / "tasks.jsonl",
        [{"task_index": number, "task": text} for number, text in enumerate(dataset.tasks)],
    )
    _write_lines(
        folder / "meta" / "episodes.jsonl",
        [{"episode_index": e.index, "tasks": list(e.tasks), "length": e.length} for e in dataset.episodes],
    )
    for episode in dataset.episodes:
        name = f"episode_{episode.index:06d}"
        _write_table(folder / f"data/chunk-000/{name}.parquet", dataset, [episode], video)
        for camera in episode.cameras.values() if video else ():
            write_video(
                folder / f"videos/chunk-000/{camera.key}/{name}.mp4", camera.frames(), dataset.fps, codec
            )
    return folder


def write_video(path, frames, fps, codec="libsvtav1"):
    """Pictures, uint8 [n, h, w, 3], as an mp4 file encoded as LeRobot does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = LEROBOT_AV1 if codec == "libsvtav1" else {"g": "2", "crf": "23"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=round(fps), options=options)
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "yuv420p"
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    _leave_real_time()


def _leave_real_time():
    """SVT-AV1, run as root, leaves its caller in a real-time class that starves every other process."""
    if hasattr(os, "sched_setscheduler"):
        for thread in Path("/proc/self/task").glob("*"):
            with contextlib.suppress(OSError):
                os.sched_setscheduler(int(thread.name), os.SCHED_OTHER, os.sched_param(0))


def _info(dataset, version, video):
    joints = [f"{name}.pos" for name in dataset.joint_names]
    features = {
        key: {"dtype": "float32", "shape": [len(joints)], "names": joints}
        for key in ("action", "observation.state")
    }
    for name in dataset.camera_names:
        camera = dataset.episodes[0].cameras[name]
        features[camera.key] = {
            "dtype": "video" if video else "image",
            "shape": [camera.height, camera.width, 3],
            "names": ["height", "width", "channels"],
        }
    for index in ("timestamp", "frame_index", "episode_index", "index", "task_index"):
        features[index] = {
            "dtype": "float32" if index == "timestamp" else "int64",
            "shape": [1],
            "names": None,
        }
    three = version == "v3.0"
    where = "chunk-{chunk_index:03d}/file-{file_index:03d}" if three else ""
    return {
        "codebase_version": version,
        "robot_type": dataset.robot_type,
        "fps": round(dataset.fps),
        "total_episodes": len(dataset.episodes),
        "total_frames": dataset.frames,
        "chunks_size": 1000,
        "data_path": f"data/{where}.parquet"
        if three
        else "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": f"videos/{{video_key}}/{where}.mp4"
        if three
        else "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
        "features": features,
    }


def _write_table(path, dataset, group, video):
    first = sum(e.length for e in dataset.episodes if e.index < group[0].index)
    frame = np.concatenate([np.arange(e.length) for e in group])
    columns = {
        "action": _vectors([e.actions for e in group]),
        "observation.state": _vectors([e.states for e in group]),
        "timestamp": pa.array(np.concatenate([e.timestamps for e in group]).astype(np.float32)),
        "frame_index": pa.array(frame),
        "episode_index": pa.array(np.repeat([e.index for e in group], [e.length for e in group])),
        "index": pa.array(first + np.arange(len(frame))),
        "task_index": pa.array(np.concatenate([e.task_indices for e in group])),
    }
    for name in () if video else dataset.camera_names:
        pictures = [png(p) for e in group for p in e.cameras[name].frames()]
        cells = [{"bytes": picture, "path": None} for picture in pictures]
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        columns[group[0].cameras[name].key] = pa.array(cells, kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, row_group_size=100)


def _vectors(parts):
    values = np.concatenate(parts).astype(np.float32)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def png(picture):
    """One picture, uint8 [h, w, 3], as the bytes of a PNG file."""
    context = av.CodecContext.create("png", "w")
    context.height, context.width = picture.shape[:2]
    context.pix_fmt, context.time_base = "rgb24", Fraction(1, 30)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def _write_videos(folder, dataset, group, file, codec):
    """All episodes of the group in one video for each camera; start of each in seconds."""
    lengths = np.cumsum([0, *(e.length for e in group)])[:-1]
    for name in dataset.camera_names:
        path = folder / f"videos/{group[0].cameras[name].key}/chunk-000/file-{file:03d}.mp4"
        write_video(path, np.concatenate([e.cameras[name].frames() for e in group]), dataset.fps, codec)
    return {e.index: float(n / dataset.fps) for e, n in zip(group, lengths, strict=True)}


def _episode_row(dataset, episode, file, starts):
    row = {
        "episode_index": episode.index,
        "tasks": list(episode.tasks),
        "length": episode.length,
        "data/chunk_index": 0,
        "data/file_index": file,
    }
    for camera in episode.cameras.values() if starts else ():
        start = starts[episode.index]
        row |= {
            f"videos/{camera.key}/chunk_index": 0,
            f"videos/{camera.key}/file_index": file,
            f"videos/{camera.key}/from_timestamp": start,
            f"videos/{camera.key}/to_timestamp": start + episode.length / dataset.fps,
        }
    return row


def _statistics(dataset):
    """By feature and name, as lists: what a recorder keeps beside the tables of v3.0."""
    return {
        feature: {name: values.tolist() for name, values in stats.items()}
        for feature, stats in dataset.stats.items()
    }


def _groups(episodes, size):
    return [episodes[first : first + size] for first in range(0, len(episodes), size)]


def _write_json(path, content):
    path.write_text(json.dumps(content, indent=4))


def _write_lines(path: Path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
